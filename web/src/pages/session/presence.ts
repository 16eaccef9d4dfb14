// Who is in the room of a session that goes on, by what its stream of events says.
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Schemas } from "../../api/client";
import type { SentEvent } from "../../api/sentEvents";

type Session = Schemas["SessionResource"];

interface Move {
  created_at: string;
  data: { participant_sid: string; identity: string | null; limit_reached: boolean };
}

interface Known {
  /** Stay → identity; null where the reader may not know it. */
  there: Map<string, string | null>;
  leftAt: string | null;
  /** No more is told of who comes and goes. */
  cut: boolean;
}

/** That nobody is there whom the session records. */
export interface Nobody {
  since: string;
  /** Whether somebody was there before. */
  came: boolean;
}

/** What was told of who comes and goes. */
export class Presence {
  readonly #known = signal<Known>({ there: new Map(), leftAt: null, cut: false });

  /** Takes an event of the session's stream; those about nobody's coming and going change nothing. */
  take({ type, data }: SentEvent): void {
    if (type !== "participant.joined" && type !== "participant.left") return;
    const { created_at, data: move } = JSON.parse(data) as Move;
    const there = new Map(this.#known.peek().there);
    if (type === "participant.joined") there.set(move.participant_sid, move.identity);
    else there.delete(move.participant_sid);
    const leftAt = type === "participant.left" ? created_at : this.#known.peek().leftAt;
    this.#known.value = { there, leftAt, cut: this.#known.peek().cut || move.limit_reached };
  }

  /** Null: somebody is there, or nobody knows. */
  nobody(session: Session): Nobody | null {
    const { there, leftAt, cut } = this.#known.value;
    if (session.status !== "running" || !session.started_at || cut) return null;
    const wanted = session.transport?.type === "livekit" ? session.transport.subscribe_to_identity : null;
    for (const identity of there.values()) if (wanted === null || identity === null || identity === wanted) return null;
    if (!leftAt && session.first_frame_at) return null; // heard, though nobody told of anybody
    return { since: leftAt ?? session.started_at, came: leftAt !== null };
  }
}

/** One for as long as the page shows the session. */
export function usePresence(id: string): Presence {
  return useMemo(() => new Presence(), [id]);
}
