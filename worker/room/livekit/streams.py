"""PCM in byte streams by LiveKit's SDK, and the calls that go with it, as livekit-agents uses them towards avatars.

The sender (`DataStreamAudioOutput`) opens one byte stream per segment and calls `lk.clear_buffer` to take back what is
not played yet; whoever plays calls `lk.playback_started` and `lk.playback_finished` at the sender, which waits for it.
Source: livekit-agents 1.8.9, `livekit/agents/voice/avatar/_datastream_io.py`.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict

import structlog
from livekit import rtc

from store.database.boot_clock import boottime_ns
from worker.room.stream_events import (
    AUDIO_STREAM,
    PcmArrived,
    PcmEnded,
    PcmOpened,
    PlaybackFinished,
    PlaybackNotice,
    PlayoutCleared,
    StreamEvent,
)
from worker.room.subscription import Subscription

_log = structlog.get_logger(__name__)

_CLEAR_BUFFER = "lk.clear_buffer"
_PLAYBACK_STARTED = "lk.playback_started"
_PLAYBACK_FINISHED = "lk.playback_finished"
_IDLE_SECONDS = 10.0  # without a chunk: then the stream's trailer is lost. livekit-agents waits as long
_SUPERSEDED_SECONDS = 1.0  # the same, once its sender has begun another stream: senders never overlap them
_ANSWER_SECONDS = 5.0
_CALL_SECONDS = 15.0  # the SDK's round trip and the answer
_ATTEMPTS = 3
_RETRY_SECONDS = 0.1


class LiveKitStreams:
    """The byte streams of one room; to be made before the join.

    Events are kept in their order until they are drained. Whoever runs `PcmOpened.read` has to drain them often.
    """

    def __init__(self, room: rtc.Room, subscription: Subscription) -> None:
        self._room = room
        self._only_identity = subscription.only_identity
        self._events: list[StreamEvent] = []
        self._notify: Callable[[], None] | None = None
        self._closed = False
        self._numbers = itertools.count(1)
        self._open: dict[int, _Stream] = {}
        room.register_byte_stream_handler(AUDIO_STREAM, self._on_stream)

    def listen(self) -> None:
        """Let senders take back what they sent; called once the room is joined."""
        self._room.local_participant.register_rpc_method(_CLEAR_BUFFER, self._on_clear_buffer)

    def notify_of_events(self, callback: Callable[[], None]) -> None:
        """Have `callback` called after every event."""
        self._notify = callback

    def drain(self) -> list[StreamEvent]:
        """Everything that has happened since this was asked the last time."""
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Take nothing more."""
        self._closed = True
        for stream in list(self._open.values()):
            stream.close()

    def sender_left(self, identity: str) -> None:
        """A sender has left: nothing more of its streams will come."""
        for stream in list(self._open.values()):
            if stream.identity == identity:
                stream.close()

    def agents(self) -> list[str]:
        """The identities of the agents in the room that may send."""
        return [
            identity
            for identity, participant in self._room.remote_participants.items()
            if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT and self._wanted(identity)
        ]

    async def notify(self, identity: str, notice: PlaybackNotice) -> bool:
        """Tell a sender how far its segment was played, in three attempts; whether it knows, or does not listen."""
        method, payload = _PLAYBACK_STARTED, ""
        if isinstance(notice, PlaybackFinished):  # without the other field, a transcript: older releases do not know it
            method, payload = _PLAYBACK_FINISHED, json.dumps(asdict(notice))
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with asyncio.timeout(_CALL_SECONDS):
                    await self._room.local_participant.perform_rpc(
                        destination_identity=identity,
                        method=method,
                        payload=payload,
                        response_timeout=_ANSWER_SECONDS,
                    )
            except rtc.RpcError as error:
                if error.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD:
                    return True  # the sender does not listen for this
                _log.info("playback_notice.failed", method=method, code=int(error.code), attempt=attempt)
            except Exception as error:  # no room any more; the SDK raises nothing narrower
                _log.info("playback_notice.failed", method=method, error=type(error).__name__, attempt=attempt)
                return False
            else:
                return True
            await asyncio.sleep(_RETRY_SECONDS)
        return False

    def _put(self, event: StreamEvent) -> None:
        self._events.append(event)
        if self._notify is not None:
            self._notify()

    def _wanted(self, identity: str) -> bool:
        return self._only_identity in (None, identity)

    def _on_stream(self, reader: rtc.ByteStreamReader, identity: str) -> None:
        if self._closed or not self._wanted(identity):
            reader.close()
            return
        number = next(self._numbers)
        for other in self._open.values():
            if other.identity == identity:
                other.supersede()
        stream = _Stream(number, identity, reader, self._put, lambda: self._open.pop(number, None))
        self._open[number] = stream
        self._put(PcmOpened(number, identity, stream.attributes, stream.read, stream.close))

    def _on_clear_buffer(self, invocation: rtc.RpcInvocationData) -> str:
        if self._closed or not self._wanted(invocation.caller_identity):
            return "reject"
        self._put(PlayoutCleared(invocation.caller_identity, boottime_ns()))
        return "ok"


class _Stream:
    """One byte stream. Chunks that are not read pile up without limit, so it is read to its end, or closed."""

    def __init__(
        self,
        number: int,
        identity: str,
        reader: rtc.ByteStreamReader,
        put: Callable[[StreamEvent], None],
        closed: Callable[[], object],
    ) -> None:
        self.identity = identity
        self._patience_seconds = _IDLE_SECONDS
        self._wait: asyncio.Timeout | None = None
        self._number = number
        self._reader = reader
        self._put = put
        self._on_closed = closed

    @property
    def attributes(self) -> Mapping[str, str]:
        """What the sender says about it."""
        return self._reader.info.attributes or {}

    def supersede(self) -> None:
        """Its sender has begun another stream, so the rest of this one comes now or never."""
        self._patience_seconds = _SUPERSEDED_SECONDS
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(asyncio.get_running_loop().time() + _SUPERSEDED_SECONDS)

    def close(self) -> None:
        """Read no more; `read` returns."""
        self._reader.close()
        self._on_closed()

    async def read(self) -> None:
        """Put every chunk as it arrives, and then the end, whatever ended it."""
        try:
            while True:
                async with asyncio.timeout(self._patience_seconds) as self._wait:
                    data = await anext(self._reader)
                self._wait = None
                self._put(PcmArrived(self._number, boottime_ns(), data))
        except StopAsyncIteration:
            pass
        except (TimeoutError, ConnectionError) as error:
            _log.info("pcm_stream.broke_off", error=type(error).__name__)
        finally:
            self.close()
            self._put(PcmEnded(self._number, boottime_ns()))
