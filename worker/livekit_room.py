"""The only module that talks to LiveKit's SDK (docs: https://docs.livekit.io/reference/python/).

Its callbacks become typed events in a bounded queue; its errors become codes, for their text may hold the token
(measured: on a 401 the server echoes the whole JWT into it).
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import structlog
from livekit import rtc
from pydantic import SecretStr

from audio import SAMPLE_RATE, Pcm
from sessions.errors import ParleyError
from worker.boot_clock import boottime_ns
from worker.event_queue import EventQueue
from worker.room_events import (
    CHAT,
    TRANSCRIPTION,
    AudioPublished,
    AudioSubscribed,
    AudioUnpublished,
    AudioUnsubscribed,
    Disconnected,
    HeardText,
    ParticipantJoined,
    ParticipantLeft,
    Reconnected,
    Reconnecting,
    RemoteTrack,
    TextOpened,
    TokenRefreshed,
)

_log = structlog.get_logger(__name__)

FRAME_MS = 100
_SIGNAL_SECONDS = 5.0  # per attempt; the SDK makes four
_CLOSE_SECONDS = 5.0
_STATS_SECONDS = 2.0
_SOURCE_QUEUE_MS = 1000
_SEND_SECONDS = 5.0
_TEXT_SECONDS = 300.0  # an agent's segment is open for as long as it speaks
_TEXT_CHARACTERS = 32_768
_STATUS = re.compile(r"signal failure: (?:client|server) error: (\d{3})\b")


class JoinError(ParleyError):
    """A join that failed: `worker_token.rejected`, `room.unreachable`, `room.join_timeout` or `room.join_failure`.

    `final`: a first join that the server refused like this will be refused again.
    """

    def __init__(self, code: str, message: str, *, final: bool = False) -> None:
        super().__init__(code, message)
        self.final = final


class SendError(ParleyError):
    """A text that did not get into the room."""

    def __init__(self) -> None:
        super().__init__("room.unreachable", "the message did not get into the room")


class LiveKitRoom:
    """A room that we are in. Made by `connect_room`; to be left by `leave`."""

    def __init__(self, room: rtc.Room, subscribe_to_identity: str | None) -> None:
        self.events = EventQueue()
        self._room = room
        self._only_identity = subscribe_to_identity
        self._tracks: dict[str, rtc.RemoteAudioTrack] = {}
        self._left = False
        for name, callback in (
            ("participant_connected", self._on_participant_connected),
            ("participant_disconnected", self._on_participant_disconnected),
            ("track_published", self._on_track_published),
            ("track_unpublished", self._on_track_unpublished),
            ("track_subscribed", self._on_track_subscribed),
            ("track_unsubscribed", self._on_track_unsubscribed),
            ("reconnecting", self._on_reconnecting),
            ("reconnected", self._on_reconnected),
            ("token_refreshed", self._on_token_refreshed),
            ("disconnected", self._on_disconnected),
        ):
            room.on(name, callback)  # type: ignore[arg-type]

        for topic in (CHAT, TRANSCRIPTION):
            room.register_text_stream_handler(topic, self._on_text)

    @property
    def connected(self) -> bool:
        """Whether the SDK believes to be in the room (also while it is reconnecting)."""
        return not self._left and self._room.isconnected()

    @property
    def may_publish(self) -> bool:
        """Whether the token lets us publish where others can hear it."""
        permissions = self._room.local_participant.permissions
        return permissions.can_publish and not permissions.hidden

    def subscribe_audio(self) -> None:
        """Announce who is here and ask for their audio, now and from now on; video is never asked for."""
        for participant in list(self._room.remote_participants.values()):
            self._on_participant_connected(participant)
            for publication in list(participant.track_publications.values()):
                self._on_track_published(publication, participant)

    async def read_frames(self, sid: str, append: Callable[[int, Pcm], None]) -> None:
        """Hand every frame of a subscribed track to `append(boottime_ns at arrival, samples)` until the track ends.

        Does nothing else: what isn't read here grows in the native library without limit.
        """
        track = self._tracks.get(sid)
        if track is None:
            return
        stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=FRAME_MS)
        try:
            async for event in stream:
                append(boottime_ns(), np.frombuffer(event.frame.data, dtype=np.int16))
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await stream.aclose()

    async def concealed_samples(self, sid: str) -> int | None:
        """How many samples of a track the jitter buffer has made up so far; None when nobody can tell."""
        track = self._tracks.get(sid)
        if track is None or track.muted:
            return None
        try:
            async with asyncio.timeout(_STATS_SECONDS):
                stats = await track.get_stats()
        except Exception:  # the SDK raises nothing narrower
            return None
        for one in stats:
            if one.HasField("inbound_rtp"):
                return one.inbound_rtp.inbound.concealed_samples
        return None

    async def publish(self, name: str, next_block: Callable[[int], Pcm], block_samples: int) -> None:
        """Publish a track whose blocks are `next_block(number of the block)`, in real time, until canceled.

        Returns early when the room takes no more of it.
        """
        source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=_SOURCE_QUEUE_MS)
        try:
            await self._publish(name, source, next_block, block_samples)
        except Exception as error:  # the SDK raises nothing narrower
            _log.warning("track_not_published", error=type(error).__name__)
        finally:
            await source.aclose()

    async def _publish(
        self, name: str, source: rtc.AudioSource, next_block: Callable[[int], Pcm], block_samples: int
    ) -> None:
        track = rtc.LocalAudioTrack.create_audio_track(name, source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        publication = await self._room.local_participant.publish_track(track, options)
        try:
            number = 0
            while True:
                pcm = next_block(number)
                await source.capture_frame(rtc.AudioFrame(pcm.tobytes(), SAMPLE_RATE, 1, block_samples))
                number += 1
        finally:
            if self.connected:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._room.local_participant.unpublish_track(publication.sid)

    async def send_text(self, topic: str, text: str, *, stream_id: str) -> None:
        """Send a text stream to everybody in the room.

        Raises:
            SendError: it did not get there, or nobody can tell.
        """
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                ourselves = self._room.local_participant
                writer = await ourselves.stream_text(
                    topic=topic,
                    stream_id=stream_id,
                    total_size=len(text.encode()),
                    sender_identity=ourselves.identity,  # the server hides it when we are hidden
                )
                await writer.write(text)
                await writer.aclose()
        except Exception:  # the SDK raises nothing narrower
            raise SendError from None

    async def leave(self) -> None:
        """Disconnect; events of this room are ignored from here on. May be called again."""
        self._left = True
        self.events.close()
        self._tracks.clear()
        if self._room.isconnected():
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._room.disconnect()
            except TimeoutError:
                return

    def _wanted(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> bool:
        return self._only_identity is None or participant.identity == self._only_identity

    def _on_participant_connected(self, participant: rtc.RemoteParticipant) -> None:
        self.events.put(ParticipantJoined(participant.identity))

    def _on_participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        for sid in participant.track_publications:
            self.events.put(AudioUnpublished(sid))
        self.events.put(ParticipantLeft(participant.identity))

    def _on_track_published(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if self._left or publication.kind != rtc.TrackKind.KIND_AUDIO:
            return
        self.events.put(AudioPublished(publication.sid, participant.identity))
        if self._wanted(publication, participant):
            publication.set_subscribed(True)

    def _on_track_unpublished(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self.events.put(AudioUnpublished(publication.sid))

    def _on_track_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if self._left or not isinstance(track, rtc.RemoteAudioTrack):
            return
        self._tracks[publication.sid] = track
        self.events.put(AudioSubscribed(RemoteTrack(publication.sid, participant.identity, publication.name)))

    def _on_track_unsubscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._tracks.pop(publication.sid, None)
        self.events.put(AudioUnsubscribed(publication.sid))

    def _on_text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        if self._left:
            reader.close()
            return
        participant = self._room.remote_participants.get(identity)
        is_agent = participant is not None and participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        speaker = None if participant is None else participant.name or None
        self.events.put(TextOpened(reader.info.topic, identity, speaker, is_agent, lambda: _read_text(reader)))

    def _on_reconnecting(self) -> None:
        self.events.put(Reconnecting())

    def _on_reconnected(self) -> None:
        # A full reconnect joins anew: the server knows of no subscription any more (measured: silence from there on).
        for participant in list(self._room.remote_participants.values()):
            for publication in list(participant.track_publications.values()):
                self._on_track_published(publication, participant)
        self.events.put(Reconnected())

    def _on_token_refreshed(self) -> None:
        if self._room._token:  # private, and the only place where the SDK keeps it
            self.events.put(TokenRefreshed(SecretStr(self._room._token)))

    def _on_disconnected(self, reason: int) -> None:
        try:
            name = rtc.DisconnectReason.Name(reason)  # type: ignore[arg-type]
        except ValueError:
            name = f"REASON_{reason}"
        self.events.put(Disconnected(name))


async def _read_text(reader: rtc.TextStreamReader) -> HeardText | None:
    """The whole text; None if it broke off, took too long, or is too long to be kept."""
    parts: list[str] = []
    try:
        async with asyncio.timeout(_TEXT_SECONDS):
            async for part in reader:
                parts.append(part)
                if sum(map(len, parts)) > _TEXT_CHARACTERS:
                    return None
    except (TimeoutError, ConnectionError):
        return None
    finally:
        reader.close()
    attributes = reader.info.attributes or {}
    return HeardText(
        text="".join(parts).replace("\0", ""),  # PostgreSQL keeps no NUL
        external_id=attributes.get("lk.segment_id") or reader.info.stream_id,
        final=attributes.get("lk.transcription_final", "true") == "true",
    )


async def connect_room(url: str, token: SecretStr, subscribe_to_identity: str | None) -> LiveKitRoom:
    """Join. Must never be canceled (see `worker.joins`): the native library takes the process down 15 s later.

    Raises:
        JoinError: whose text holds nothing of the server's answer.
    """
    room = rtc.Room()
    ours = LiveKitRoom(room, subscribe_to_identity)
    options = rtc.RoomOptions(auto_subscribe=False, connect_timeout=_SIGNAL_SECONDS)
    try:
        await room.connect(url, token.get_secret_value(), options)
    except rtc.ConnectError as error:
        failure = join_error(error.message)
    else:
        return ours
    raise failure  # outside the handler: no context that holds the token


def join_error(text: str) -> JoinError:
    """The code for what the SDK said about a failed join; nothing of its text is kept."""
    if match := _STATUS.search(text):
        if match[1] in ("401", "403"):
            return JoinError("worker_token.rejected", "the LiveKit server refused the worker token", final=True)
        final = match[1][0] == "4" and match[1] not in ("408", "425", "429")
        return JoinError("room.join_failure", f"the LiveKit server answered {match[1]}", final=final)
    if "transport connection error" in text or "IO error" in text:
        return JoinError("room.unreachable", "nobody answered at the room's URL")
    if "timed out" in text or "timeout" in text:
        return JoinError("room.join_timeout", "the join was not done in time")
    return JoinError("room.join_failure", "the LiveKit server did not let the worker join")
