"""A room by LiveKit's SDK (docs: https://docs.livekit.io/reference/python/), which only this folder talks to.

The SDK's callbacks become typed events in a bounded queue.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import structlog
from livekit import rtc
from livekit.rtc._proto.participant_pb2 import ParticipantPermission
from pydantic import SecretStr

from audio.pcm import Pcm
from store.runs.participant_events import Participant
from worker.room.event_queue import EventQueue
from worker.room.events import (
    AudioDeciphered,
    AudioMuted,
    AudioPublished,
    AudioSubscribed,
    AudioUnpublished,
    AudioUnsubscribed,
    Disconnected,
    ListeningAllowed,
    ParticipantJoined,
    ParticipantLeft,
    Reconnected,
    Reconnecting,
    RemoteTrack,
    TokenRefreshed,
)
from worker.room.livekit.audio import TrackReader, local_source, publish_blocks
from worker.room.livekit.participants import as_value, publications_in, publications_of
from worker.room.livekit.reconnects import Reconnects
from worker.room.livekit.stats import LiveKitStats
from worker.room.livekit.streams import LiveKitStreams
from worker.room.livekit.texts import LiveKitTexts
from worker.room.livekit.track_choice import TrackChoice, is_encrypted
from worker.room.room_reading import RoomReading
from worker.room.subscription import Subscription

_log = structlog.get_logger(__name__)

_CLOSE_SECONDS = 5.0


class LiveKitRoom:
    """A room that the worker is in. Made by `joining.connect_room`; to be left by `leave`.

    `streams` are its byte streams of PCM, if those are recorded instead of tracks.
    """

    def __init__(self, room: rtc.Room, subscription: Subscription) -> None:
        self.events = EventQueue()
        self._room = room
        self._subscription = subscription
        self._choice = TrackChoice(subscription)
        self._tracks: dict[str, rtc.RemoteAudioTrack] = {}
        self._readers: dict[str, TrackReader] = {}
        self._keeps_tails = False
        self._left = False
        self._reconnects = Reconnects()
        self._listening = False
        self._subscribed = asyncio.Event()
        self._deciphered: set[str] = set()  # identities
        self._stats = LiveKitStats(room)
        self._at_join: set[str] = set()  # sids
        self._made_at = time.monotonic()
        self.join_seconds = 0.0  # how long the join took, once it is done
        for name, callback in (
            ("participant_connected", self._on_participant_connected),
            ("participant_disconnected", self._on_participant_disconnected),
            ("track_published", self._on_track_published),
            ("track_unpublished", self._on_track_unpublished),
            ("track_subscribed", self._on_track_subscribed),
            ("track_unsubscribed", self._on_track_unsubscribed),
            ("track_muted", lambda _, publication: self._on_muted(publication, muted=True)),
            ("track_unmuted", lambda _, publication: self._on_muted(publication, muted=False)),
            ("e2ee_state_changed", self._on_encryption_changed),
            ("participant_permissions_changed", self._on_permissions_changed),
            ("reconnecting", self._on_reconnecting),
            ("reconnected", self._on_reconnected),
            ("token_refreshed", self._on_token_refreshed),
            ("disconnected", self._on_disconnected),
        ):
            room.on(name, callback)  # type: ignore[arg-type]

        self._texts = LiveKitTexts(room, self.events.put)
        self.streams = LiveKitStreams(room, subscription) if subscription.streams else None

    @property
    def connected(self) -> bool:
        """Whether the SDK believes to be in the room (also while it is reconnecting)."""
        return not self._left and self._room.isconnected()

    @property
    def left(self) -> bool:
        """Whether it was left."""
        return self._left

    @property
    def reconnects(self) -> Sequence[tuple[float, float]]:
        """When the SDK was reconnecting (`time.monotonic`), of the latest times; infinity: it still is."""
        return self._reconnects.latest

    @property
    def deserted(self) -> bool:
        """Whether nobody whom the worker records is in the room. LiveKit's own recorders are nobody.

        Who loses the connection is there until the server gives them up.
        """
        return not any(
            self._choice.records(participant) and participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS
            for participant in self._room.remote_participants.values()
        )

    @property
    def may_publish(self) -> bool:
        """Whether the token lets the worker publish audio that others can hear."""
        permissions = self._room.local_participant.permissions
        return permissions.can_publish and not permissions.hidden

    @property
    def participants(self) -> Iterator[Participant]:
        """Everybody else in the room."""
        return map(as_value, list(self._room.remote_participants.values()))

    def joined(self) -> None:
        """Note that the join is done: what is published by now was there before the worker."""
        self.join_seconds = time.monotonic() - self._made_at
        self._at_join = {publication.sid for publication, _ in publications_in(self._room)}

    def listen(self) -> None:
        """Announce who is here and ask for their audio, now and from now on; nothing else is taken.

        May be called again.
        """
        if self._listening:
            return
        self._listening = True
        if self.streams is not None:
            self.streams.listen()
        self._tell_if_forbidden()
        for participant in list(self._room.remote_participants.values()):
            self._on_participant_connected(participant)
            for publication in publications_of(participant):
                self._on_track_published(publication, participant)

    async def heard(self, seconds: float) -> None:
        """Wait until all audio that was published when the worker began to listen can be read, at most so long."""
        wanted = {one.sid for one, participant in publications_in(self._room) if self._choice.takes(one, participant)}
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._left and not self._tracks.keys() >= wanted:
                    self._subscribed.clear()
                    await self._subscribed.wait()

    async def read_frames(self, sid: str, append: Callable[[int, Pcm], None]) -> None:
        """Hand every frame of a subscribed track to `append(boottime_ns at arrival, samples)` until the track ends."""
        track = self._tracks.get(sid)
        if track is None:
            return
        reader = self._readers[sid] = TrackReader(track, append)
        if self._keeps_tails:
            reader.keep_tail()
        try:
            await reader.run()
        finally:
            if self._readers.get(sid) is reader:
                del self._readers[sid]

    def keep_tails(self) -> None:
        """Another worker is about to evict this one: lose nothing of what was heard until then. May be called again."""
        self._keeps_tails = True
        for reader in self._readers.values():
            reader.keep_tail()

    async def read(self) -> RoomReading | None:
        """What the connection has received and the jitter buffers have made up so far; None: no answer came."""
        return None if self._left else await self._stats.read(self._tracks)

    async def publish(self, name: str, next_block: Callable[[int], Pcm], block_samples: int) -> None:
        """Publish a track whose blocks are `next_block(number of the block)`, in real time, until canceled.

        Returns early when the room takes no more of it.
        """
        source = local_source()
        try:
            await publish_blocks(self._room, source, name, next_block, block_samples)
        except Exception as error:  # the SDK raises nothing narrower
            _log.warning("track.not_published", exc_info=error)  # it may also be ours, from making a block
        finally:
            await source.aclose()

    async def send_text(self, topic: str, text: str, *, stream_id: str) -> None:
        """Send a text stream to everybody in the room.

        Raises:
            SendError: it was not sent, or that is not known.
        """
        await self._texts.send(topic, text, stream_id=stream_id)

    async def leave(self) -> None:
        """Disconnect; events of this room are ignored from here on. May be called again."""
        self._left = True
        self.events.close()
        self._texts.close()
        if self.streams is not None:
            self.streams.close()
        self._tracks.clear()
        if self._room.isconnected():
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._room.disconnect()
            except TimeoutError:
                return

    def _on_participant_connected(self, participant: rtc.RemoteParticipant) -> None:
        self.events.put(ParticipantJoined(as_value(participant)))

    def _on_participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        for sid in participant.track_publications:
            self._choice.leave(sid)
            self.events.put(AudioUnpublished(sid))
        if self.streams is not None:
            self.streams.sender_left(participant.identity)
        self._deciphered.discard(participant.identity)
        self.events.put(ParticipantLeft(as_value(participant)))

    def _on_track_published(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if self._left:
            return
        takes = self._choice.takes(publication, participant)
        if publication.kind == rtc.TrackKind.KIND_AUDIO:
            self.events.put(
                AudioPublished(
                    publication.sid,
                    participant.identity,
                    wanted=self._choice.wants(participant),
                    encrypted=self._choice.is_locked(publication),
                    left_out=not takes and self._choice.would_take(publication, participant),
                    at_join=publication.sid in self._at_join,
                    muted=publication.muted,
                )
            )
        if takes:
            publication.set_subscribed(True)
        elif self._subscription.with_join:
            publication.set_subscribed(False)

    def _on_track_unpublished(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._choice.leave(publication.sid)
        self.events.put(AudioUnpublished(publication.sid))

    def _on_track_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if self._left:
            return
        if not isinstance(track, rtc.RemoteAudioTrack) or not self._choice.takes(publication, participant):
            publication.set_subscribed(False)  # LiveKit may have begun to send it before it heard that we refuse it
            return
        self._tracks[publication.sid] = track
        self._subscribed.set()
        encrypted = is_encrypted(publication)
        sid, at_join = publication.sid, publication.sid in self._at_join
        opened = RemoteTrack(
            sid,
            participant.identity,
            publication.name,
            speaker=participant.name,
            encrypted=encrypted,
            at_join=at_join,
        )
        self.events.put(AudioSubscribed(opened))
        if encrypted and participant.identity in self._deciphered:
            self.events.put(AudioDeciphered(participant.identity))
        if publication.muted:
            self.events.put(AudioMuted(publication.sid, muted=True))

    def _on_track_unsubscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._tracks.pop(publication.sid, None)
        self.events.put(AudioUnsubscribed(publication.sid))

    def _on_muted(self, publication: rtc.TrackPublication, *, muted: bool) -> None:
        self.events.put(AudioMuted(publication.sid, muted=muted))

    def _on_encryption_changed(self, participant: rtc.Participant | None, state: int) -> None:
        # Measured with livekit 1.2.1: OK comes with a track's first good frame, and nothing says that frames fail.
        if participant is not None and state == rtc.EncryptionState.OK:
            self._deciphered.add(participant.identity)
            self.events.put(AudioDeciphered(participant.identity))

    def _on_permissions_changed(self, participant: rtc.Participant, permissions: ParticipantPermission) -> None:
        if participant is self._room.local_participant:
            self.events.put(ListeningAllowed(permissions.can_subscribe))

    def _tell_if_forbidden(self) -> None:
        """Nothing changes where the worker joins without the right to subscribe, so no callback says so."""
        permissions = self._room.local_participant.permissions
        if permissions.HasField("can_subscribe") and not permissions.can_subscribe:
            self.events.put(ListeningAllowed(False))

    def _on_reconnecting(self) -> None:
        self._reconnects.begin()
        self.events.put(Reconnecting())

    def _on_reconnected(self) -> None:
        self._reconnects.end()
        # A full reconnect joins anew, without the subscriptions: without this there is silence from here on (measured).
        for publication, participant in publications_in(self._room):
            self._on_track_published(publication, participant)
        self._tell_if_forbidden()
        self.events.put(Reconnected())

    def _on_token_refreshed(self) -> None:
        if self._room._token:  # private, and the only place where the SDK keeps it
            self.events.put(TokenRefreshed(SecretStr(self._room._token)))

    def _on_disconnected(self, reason: int) -> None:
        for reader in list(self._readers.values()):
            reader.end()
        try:
            name = rtc.DisconnectReason.Name(reason)  # type: ignore[arg-type]
        except ValueError:
            name = f"REASON_{reason}"
        self.events.put(Disconnected(name))
