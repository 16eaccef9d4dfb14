// Who is in a session, in the few words that a row of the list has room for.
import { type Schemas } from "../../api/client";

type Participant = Schemas["SessionParticipant"];

export interface Who {
  /** Those who are heard in the recording; before there is one, those who were in the room. */
  names: string[];
  more: boolean;
  /** All of it in a sentence or two. */
  words: string;
}

/** Null: it is not known, or its reader may not know it. */
export function whoOf({ participants }: Schemas["SessionResource"]): Who | null {
  if (!participants || participants.data.length === 0) return null;
  const { data, has_more } = participants;
  const heard = data.filter((one) => one.heard !== false);
  const silent = data.filter((one) => one.heard === false);
  const recorded = data.some((one) => one.heard !== null);
  const others = has_more ? " There were more." : "";
  const words = recorded
    ? `${heard.length ? `Heard: ${listed(heard)}.` : "Nobody is heard."}${silent.length ? ` There, and not heard: ${listed(silent)}.` : ""}`
    : `In the room so far: ${listed(heard)}.`;
  return { names: heard.map(nameOf), more: has_more, words: words + others };
}

function nameOf({ name, identity }: Participant): string {
  return name || identity;
}

function listed(some: Participant[]): string {
  return some.map(nameOf).join(", ");
}
