// One conversation: a room, one's own microphone in it, and a session of Parley that records it.
import { createLocalAudioTrack, type LocalAudioTrack, Room, type RoomOptions } from "livekit-client";
import { answer, api, type Schemas } from "../../api/client";
import { read, TALK_PLACE, write } from "../../sign_in/kept";
import type { Access } from "./access";
import { mint, roomOf } from "./token";

const TOKEN_SECONDS = 6 * 3600;
const IDLE_SECONDS = 600;
const WORKER = "parley-recorder";
// As the owner of a room would let it in: it hears everything, nobody sees it, and it keeps no room open.
const HEARS = { roomJoin: true, canSubscribe: true, canPublish: false, canPublishData: true, hidden: true, recorder: true } as const;
const OPTIONS: RoomOptions = { adaptiveStream: false, dynacast: false };

export interface Conversation {
  room: Room;
  microphone: LocalAudioTrack;
  sessionId: string;
}

/** A conversation of this tab that a reload has cut off, and that may still be recorded. */
export interface Left {
  sessionId: string;
  room: string;
}

/** What was left; null: nothing. */
export function leftBehind(): Left | null {
  const text = read(TALK_PLACE);
  return text ? (JSON.parse(text) as Left) : null;
}

export function forgetLeft(): void {
  write(TALK_PLACE, null);
}

/**
 * Begins it: asks for the microphone, then joins and makes the session at once.
 *
 * @param processed whether the browser may take out echo and noise, and even out the level.
 */
export async function begin(access: Access, deviceId: string, processed: boolean): Promise<Conversation> {
  return talk(deviceId, processed, async (room, microphone) => {
    const { name, own, worker } = await tokens(access, `talk-${crypto.randomUUID().slice(0, 8)}`);
    const [session] = await Promise.all([record(access.url, name, worker), joined(room, access.url, own, microphone)]);
    write(TALK_PLACE, JSON.stringify({ sessionId: session.id, room: name } satisfies Left));
    return session.id;
  });
}

/** Goes on with one that was left: into the same room, which the same session records. */
export async function goOn(left: Left, access: Access, deviceId: string, processed: boolean): Promise<Conversation> {
  return talk(deviceId, processed, async (room, microphone) => {
    const { own } = await tokens(access, left.room);
    await joined(room, access.url, own, microphone);
    return left.sessionId;
  });
}

async function talk(
  deviceId: string,
  processed: boolean,
  enter: (room: Room, microphone: LocalAudioTrack) => Promise<string>,
): Promise<Conversation> {
  const microphone = await createLocalAudioTrack({
    echoCancellation: processed,
    noiseSuppression: processed,
    autoGainControl: processed,
    ...(deviceId ? { deviceId } : {}),
  });
  const room = new Room(OPTIONS);
  try {
    return { room, microphone, sessionId: await enter(room, microphone) };
  } catch (error) {
    microphone.stop();
    await room.disconnect();
    throw error;
  }
}

/** Ends the session, and leaves the room. */
export async function end({ room, microphone, sessionId }: Conversation): Promise<void> {
  try {
    await endSession(sessionId);
  } finally {
    microphone.stop();
    await room.disconnect();
  }
}

/** Ends the session alone. */
export async function endSession(sessionId: string): Promise<void> {
  await answer(api.POST("/v1/sessions/{session_id}/end", { params: { path: { session_id: sessionId } }, body: {} }));
  forgetLeft();
}

async function tokens(access: Access, name: string): Promise<{ name: string; own: string; worker: string }> {
  if ("participantToken" in access) {
    const theirs = roomOf(access.workerToken) ?? roomOf(access.participantToken) ?? "";
    return { name: theirs, own: access.participantToken, worker: access.workerToken };
  }
  const { apiKey, apiSecret } = access;
  const [own, worker] = await Promise.all([
    mint(apiKey, apiSecret, "you", { roomJoin: true, room: name }, TOKEN_SECONDS),
    mint(apiKey, apiSecret, WORKER, { ...HEARS, room: name }, TOKEN_SECONDS),
  ]);
  return { name, own, worker };
}

async function joined(room: Room, url: string, token: string, microphone: LocalAudioTrack): Promise<void> {
  await room.connect(url, token);
  await room.localParticipant.publishTrack(microphone);
}

async function record(url: string, room: string, token: string): Promise<Schemas["SessionResource"]> {
  const made = await answer(
    api.POST("/v1/sessions", {
      params: { header: { "Idempotency-Key": crypto.randomUUID() } },
      body: {
        title: `Talk of ${new Date().toLocaleString()}`,
        idle_timeout_seconds: IDLE_SECONDS,
        transport: { type: "livekit", url, room_name: room, worker_token: token },
      },
    }),
  );
  return made as Schemas["SessionResource"];
}
