import { useSignal } from "@preact/signals";
import { createAudioAnalyser, type LocalAudioTrack, type RemoteAudioTrack, type Room, RoomEvent, Track } from "livekit-client";
import { useEffect } from "preact/hooks";

const EVERY_MS = 80;

interface Heard {
  identity: string;
  track: LocalAudioTrack | RemoteAudioTrack;
}

/** How loud everybody in the room is, now. Others are heard, too. */
export function Meters({ room }: { room: Room }) {
  const heard = useSignal<Heard[]>([]);
  useEffect(() => {
    const look = () => (heard.value = everybody(room));
    const events = [RoomEvent.TrackSubscribed, RoomEvent.TrackUnsubscribed, RoomEvent.LocalTrackPublished, RoomEvent.ParticipantDisconnected];
    for (const event of events) room.on(event, look);
    look();
    return () => {
      for (const event of events) room.off(event, look);
    };
  }, [room]);
  return (
    <ul class="meters">
      {heard.value.map((one) => <Meter key={one.identity + (one.track.sid ?? "")} {...one} />)}
    </ul>
  );
}

function Meter({ identity, track }: Heard) {
  const level = useSignal(0);
  useEffect(() => {
    const { calculateVolume, cleanup } = createAudioAnalyser(track as LocalAudioTrack, { smoothingTimeConstant: 0.4 });
    const timer = setInterval(() => (level.value = calculateVolume()), EVERY_MS);
    const element = track.isLocal ? null : track.attach();
    return () => {
      clearInterval(timer);
      element?.remove();
      void cleanup();
    };
  }, [track]);
  return (
    <li>
      <span class="clip">{identity}</span>
      <meter min={0} max={1} value={Math.min(level.value * 1.6, 1)} aria-label={`Level of ${identity}`} />
    </li>
  );
}

function everybody(room: Room): Heard[] {
  const found: Heard[] = [];
  for (const participant of [room.localParticipant, ...room.remoteParticipants.values()]) {
    const track = participant.getTrackPublication(Track.Source.Microphone)?.audioTrack;
    if (track) found.push({ identity: participant.identity, track: track as Heard["track"] });
  }
  return found;
}
