"""Tells the senders of byte streams how far their segments were played: each in order, one call at a time."""

import asyncio
from collections import deque

import structlog

from worker.capture.spawn import Spawn
from worker.room.livekit.streams import LiveKitStreams
from worker.room.stream_events import PlaybackNotice

_log = structlog.get_logger(__name__)

_MOST_WAITING = 256  # per sender; more than a session has segments at a time


class PlaybackNotices:
    """Sends what is put, while there is a room; what is left when it is lost waits for the next one."""

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._streams: LiveKitStreams | None = None
        self._waiting: dict[str, deque[PlaybackNotice]] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}

    def entered(self, streams: LiveKitStreams) -> None:
        """We are in a room (again)."""
        self._streams = streams
        for identity in self._waiting:
            self._send_soon(identity)

    def dropped(self) -> None:
        """The room is lost."""
        self._streams = None

    def waiting_for(self, identity: str) -> bool:
        """Whether a sender is still to be told something."""
        return bool(self._waiting.get(identity))

    def put(self, identity: str, notice: PlaybackNotice) -> None:
        """Tell a sender, after everything that was put before."""
        waiting = self._waiting.setdefault(identity, deque())
        if len(waiting) >= _MOST_WAITING:
            waiting.popleft()
            _log.warning("playback_notice.dropped")
        waiting.append(notice)
        self._send_soon(identity)

    async def sent(self, timeout_seconds: float) -> None:
        """Wait until everybody has been told everything, at most `timeout_seconds` long."""
        if self._sending:
            await asyncio.wait(self._sending.values(), timeout=timeout_seconds)

    def _send_soon(self, identity: str) -> None:
        if identity not in self._sending and self._streams is not None:
            self._sending[identity] = self._spawn(self._send(identity), "playback-notices")

    async def _send(self, identity: str) -> None:
        try:
            waiting = self._waiting[identity]
            while waiting and (streams := self._streams) is not None:
                notice = waiting[0]
                told = await streams.notify(identity, notice)
                if (told or streams is self._streams) and waiting and waiting[0] is notice:
                    waiting.popleft()  # otherwise the room was lost meanwhile: send it again in the next one
        finally:
            del self._sending[identity]
        if not self._waiting[identity]:
            del self._waiting[identity]
