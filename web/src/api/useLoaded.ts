// What a page reads from the API: loaded, kept fresh while the page is looked at, with its last good state on errors.
import { type Signal, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Refusal } from "./client";

export interface Loaded<T> {
  /** The newest answer. */
  data: Signal<T | null>;
  /** Why the last attempt failed. */
  problem: Signal<Refusal | null>;
  /** Asks again at once. */
  again: () => void;
  /** Asks again in a moment, once, however often it is called until then. */
  soon: () => void;
}

const SLOWEST_MS = 15_000;
const SOON_MS = 250;

/**
 * @param load asks once; what it reads from signals makes it ask again.
 * @param everyMs when to ask again, from the newest answer; null: never.
 */
export function useLoaded<T>(load: (cancel: AbortSignal) => Promise<T>, everyMs: (data: T | null) => number | null): Loaded<T> {
  const data = useSignal<T | null>(null);
  const problem = useSignal<Refusal | null>(null);
  const turn = useSignal(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const failures = useRef(0);
  const asking = useRef(false);
  const wanted = useRef(false); // soon() was called since the last question was asked

  useSignalEffect(() => {
    void turn.value;
    const cancel = new AbortController();
    clearTimeout(timer.current);
    asking.current = true;
    wanted.current = false;
    const ask = load(cancel.signal);
    ask.then(
      (got) => {
        if (cancel.signal.aborted) return;
        asking.current = false;
        failures.current = 0;
        problem.value = null;
        data.value = got;
        plan(wanted.current ? SOON_MS : everyMs(got));
      },
      (error: unknown) => {
        if (cancel.signal.aborted) return;
        asking.current = false;
        failures.current += 1;
        problem.value = error instanceof Refusal ? error : new Refusal("page.broken", String(error), 0, null, null);
        const pause = everyMs(data.peek());
        plan(problem.value.status >= 400 && problem.value.status < 500 && pause === null ? null : backOff(pause));
      },
    );
    return () => {
      cancel.abort();
      clearTimeout(timer.current);
    };
  });

  function backOff(pause: number | null): number {
    return Math.min((pause ?? 1000) * 2 ** Math.min(failures.current, 5), SLOWEST_MS);
  }

  function plan(ms: number | null): void {
    clearTimeout(timer.current);
    if (ms === null) return;
    timer.current = setTimeout(() => {
      if (document.hidden) document.addEventListener("visibilitychange", () => turn.value++, { once: true });
      else turn.value++;
    }, ms);
  }

  function soon(): void {
    if (wanted.current) return;
    wanted.current = true;
    if (!asking.current) plan(SOON_MS);
  }

  useEffect(() => () => clearTimeout(timer.current), []);
  return { data, problem, again: () => void turn.value++, soon };
}
