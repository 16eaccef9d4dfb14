"""Between a session's log and its room: posted messages go in, what is written and transcribed there comes back."""

import asyncio
from contextlib import suppress

import structlog

from audio.pcm import SAMPLE_RATE
from sessions.errors import DatabaseError
from sessions.ids import format_id
from store.database.boot_clock import boottime_ns
from store.database.until_answered import until_answered
from store.runs.fence import Replaced
from store.sessions.log.session_log import LogEntry, NewLogEntry, SessionLog
from store.set_within import set_within
from worker.clock.session_clock import SessionClock
from worker.lease.live_run import LiveRun
from worker.room.events import CHAT, TextOpened
from worker.room.livekit.room import LiveKitRoom
from worker.room.livekit.texts import SendError
from worker.run.text_allowance import TextAllowance

_log = structlog.get_logger(__name__)

_POLL_SECONDS = 5.0  # notifications may be lost
_RETRY_SECONDS = 1.0
_ATTEMPTS = 30


class RoomMessages:
    """One run's side of the log. While the session is paused nothing goes either way."""

    def __init__(self, run: LiveRun, log: SessionLog, clock: SessionClock) -> None:
        self._run = run
        self._store = log
        self._clock = clock
        self._room: LiveKitRoom | None = None
        self._last_start_ms = -1
        self._allowance = TextAllowance()
        self._refused = False
        # A write locks the session's row: without this lock texts would wait for each other with a connection each.
        self._logging = asyncio.Lock()

    def entered(self, room: LiveKitRoom) -> None:
        """The worker is in `room`: messages may have waited for that."""
        self._room = room
        self._run.messages.set()

    def dropped(self) -> None:
        """The room is lost; messages wait for the next one."""
        self._room = None

    async def send_posted(self) -> None:
        """Put what clients post into the room, until canceled; a message is repeated until the log has it as sent."""
        while True:
            self._run.messages.clear()
            try:
                await self._send_waiting()
            except (DatabaseError, SendError) as error:
                _log.warning("messages.not_sent", error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
            await set_within(self._run.messages, _POLL_SECONDS)

    async def hear(self, opened: TextOpened) -> None:
        """Log a text of the room once. Interim transcriptions and texts that a pause overlaps are not logged.

        A text beyond the run's allowance is not read.
        """
        if not self._allowance.begin():
            opened.close()
            self._refuse()
            return
        try:
            await self._hear(opened)
        finally:
            self._allowance.end()

    async def _hear(self, opened: TextOpened) -> None:
        opened_ns = boottime_ns()
        start_ms = self._next_start_ms(opened_ns)
        heard = await opened.read()
        if heard is None or not heard.final or not heard.text.strip():
            return
        if not self._allowance.spend(heard.text):
            self._refuse()
            return
        read_ns = boottime_ns()
        is_chat = opened.topic == CHAT
        entry = NewLogEntry(
            kind="message" if is_chat else "segment",
            role="assistant" if opened.is_agent else "user",
            text=heard.text,
            source="lk.chat" if is_chat else "lk.transcription",
            speaker=opened.speaker,
            identity=opened.identity,
            start_ms=start_ms,
            end_ms=start_ms if is_chat else max(self._ms_at(read_ns), start_ms),
            external_id=heard.external_id,
        )

        async def append() -> None:
            async with self._logging:
                await self._store.append_heard(
                    self._run.fence, [entry], self._clock.time_of(opened_ns), self._clock.time_of(read_ns)
                )

        with suppress(Replaced, DatabaseError):  # the successor hears for itself; a text may be lost
            await until_answered(append, most_attempts=_ATTEMPTS)

    def _refuse(self) -> None:
        if not self._refused:
            self._refused = True
            _log.warning("texts.refused", session_id=format_id("sess", self._run.fence.session_id))

    async def _send_waiting(self) -> None:
        room = self._room
        if room is None or not room.connected or self._run.paused or self._run.fenced or self._run.replaced:
            return
        for entry in await self._store.undelivered(self._run.fence.session_id):
            await self._send(room, entry)

    async def _send(self, room: LiveKitRoom, entry: LogEntry) -> None:
        """Send one message; its id is the stream's, so that receivers recognize a repetition."""
        await room.send_text(CHAT, entry.text, stream_id=format_id("msg", entry.id))
        await self._store.delivered(self._run.fence, [entry.seq])

    def _next_start_ms(self, opened_ns: int) -> int:
        """When a text begins: after the one before, also if they arrive together or end the other way round."""
        self._last_start_ms = max(self._ms_at(opened_ns), self._last_start_ms + 1)
        return self._last_start_ms

    def _ms_at(self, instant_ns: int) -> int:
        return max(self._clock.sample_at(instant_ns) * 1000 // SAMPLE_RATE, 0)
