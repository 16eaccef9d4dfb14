// What a page reads from the API, read again when a stream of events says that something of it changed.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { follow } from "./follow";
import type { SentEvent } from "./sentEvents";
import { type Loaded, useLoaded } from "./useLoaded";

/**
 * @param load asks once; what it reads from signals makes it ask again.
 * @param stream the stream's path, which follows from the newest answer; null: none.
 * @param everyMs when to ask again where no stream is open, from the newest answer; null: never.
 * @param take sees each message of the stream; after those that are no events nothing is asked.
 */
export function useFollowed<T>(
  load: (cancel: AbortSignal) => Promise<T>,
  stream: (data: T | null) => string | null,
  everyMs: (data: T | null) => number | null,
  take?: (message: SentEvent) => void,
): Loaded<T> {
  const open = useSignal(false);
  const loaded = useLoaded(load, (data) => (open.peek() ? null : everyMs(data)));
  const path = useComputed(() => stream(loaded.data.value));
  useSignalEffect(() => {
    if (path.value === null) return;
    const end = follow(path.value, {
      happened: (message) => {
        take?.(message);
        if (!message.type.startsWith("live.")) loaded.soon();
      },
      open: (isOpen) => {
        if (isOpen === open.peek()) return;
        open.value = isOpen;
        loaded.soon(); // what happened before it was open, or since it is not
      },
    });
    return () => {
      end();
      open.value = false;
    };
  });
  return loaded;
}
