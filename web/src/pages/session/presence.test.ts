import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { Presence } from "./presence";

type Session = Schemas["SessionResource"];

const BEGAN = "2026-11-22T02:37:00.000Z";
const session = (changed: object = {}) =>
  ({ status: "running", started_at: BEGAN, first_frame_at: null, transport: { type: "livekit", subscribe_to_identity: null }, ...changed }) as Session;

function moved(type: string, sid: string, at = BEGAN, more: object = {}) {
  return { type: `participant.${type}`, data: JSON.stringify({ created_at: at, data: { participant_sid: sid, identity: sid, limit_reached: false, ...more } }) };
}

test("a room is empty until somebody comes, and again when all have left", () => {
  const presence = new Presence();
  expect(presence.nobody(session())).toEqual({ since: BEGAN, came: false });
  presence.take(moved("joined", "a"));
  presence.take(moved("joined", "b"));
  presence.take(moved("joined", "b")); // a stream that began anew
  presence.take(moved("left", "a", "2026-11-22T02:38:00.000Z"));
  expect(presence.nobody(session())).toBeNull();
  presence.take(moved("left", "b", "2026-11-22T02:39:00.000Z"));
  expect(presence.nobody(session())).toEqual({ since: "2026-11-22T02:39:00.000Z", came: true });
});

test("who is not recorded is nobody", () => {
  const presence = new Presence();
  presence.take(moved("joined", "other"));
  const wanting = session({ transport: { type: "livekit", subscribe_to_identity: "agent" } });
  expect(presence.nobody(wanting)).toEqual({ since: BEGAN, came: false });
  presence.take(moved("joined", "agent"));
  expect(presence.nobody(wanting)).toBeNull();
});

test("nothing is said of what is not known", () => {
  const presence = new Presence();
  presence.take({ type: "session.running", data: "{}" });
  for (const status of ["queued", "starting", "paused", "ending", "ended"]) expect(presence.nobody(session({ status }))).toBeNull();
  expect(presence.nobody(session({ first_frame_at: BEGAN }))).toBeNull();
  presence.take(moved("joined", "a", BEGAN, { limit_reached: true }));
  presence.take(moved("left", "a"));
  expect(presence.nobody(session())).toBeNull();
});
