"""Who comes into a session's room and leaves it, told as events: in batches, so many at most, in the order it happened.

A full room may bring thousands within a second; a batch a second of 50 leaves the database its time for recordings.
What is noted waits for a second: the SDK lets everybody leave and come back, with the same sids, when it is the worker
that lost the room, and that is told of nobody.
"""

import asyncio
from collections.abc import Iterable

import structlog

from sessions.errors import DatabaseError
from store.database.boot_clock import boottime_ns
from store.database.until_answered import until_answered
from store.runs.fence import Replaced
from store.runs.participant_events import Move, Participant, ParticipantEvents
from store.set_within import set_within
from worker.clock.session_clock import SessionClock
from worker.lease.live_run import LiveRun
from worker.room.events import ParticipantJoined, ParticipantLeft, Reconnecting, RoomEvent

_AT_ONCE = 50
_PAUSE_SECONDS = 1.0
LAST_WORDS_SECONDS = 2.0
"""How long the end of a run waits for what is not written yet."""

_log = structlog.get_logger(__name__)


class RoomParticipants:
    """One run's side.

    Args:
        resumed: the session had a run before, which may have told of participants who are gone.
    """

    def __init__(self, run: LiveRun, store: ParticipantEvents, clock: SessionClock, *, resumed: bool) -> None:
        self._run = run
        self._store = store
        self._clock = clock
        self._resumed = resumed
        self._there: dict[str, Participant] = {}
        self._untold: list[Move] = []
        self._noted = 0
        self._over = store.most == 0
        self._in_room = asyncio.Event()
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()

    def entered(self, present: Iterable[Participant], now_ns: int) -> None:
        """The worker is in the room, for the first time or again, and these are there: the others have left."""
        there = {participant.sid: participant for participant in present}
        for sid in [sid for sid in self._there if sid not in there]:
            self._go(self._there[sid], now_ns)
        for participant in there.values():
            self._come(participant, now_ns)
        self._in_room.set()

    def dropped(self) -> None:
        """The room is lost: what happens there cannot be known until it is entered again."""
        self._in_room.clear()

    def take(self, event: RoomEvent, now_ns: int) -> None:
        """Take note of who comes and leaves, until the run ends."""
        if self._ending.is_set():
            return
        match event:
            case ParticipantJoined(participant=participant):
                self._come(participant, now_ns)
            case ParticipantLeft(participant=participant):
                self._go(participant, now_ns)
            case Reconnecting():
                self.dropped()
            case _:
                pass

    async def tell(self) -> None:
        """Write what was noted, until nothing more may be told, or the run ends."""
        try:
            await self._in_room.wait()
            if self._resumed:
                await self._recall()
            while not self._over and (self._untold or not self._ending.is_set()):
                await self._changed.wait()
                self._changed.clear()
                while self._untold and not self._over:
                    await set_within(self._ending, _PAUSE_SECONDS)
                    await self._in_room.wait()
                    await self._write()
        except Replaced:
            pass  # the successor goes on
        except DatabaseError as error:  # no recording ends because of an event
            _log.error("participants.not_told", code=error.code, exc_info=error)
        self._over = True
        self._untold.clear()

    def end(self) -> None:
        """Nobody else is noted; what is left is written at once."""
        if not self._in_room.is_set():
            self._untold = [move for move in self._untold if move.joined]
        for event in (self._ending, self._changed, self._in_room):
            event.set()

    async def _write(self) -> None:
        batch = self._untold[:_AT_ONCE]
        del self._untold[:_AT_ONCE]
        if batch and not await until_answered(lambda: self._store.tell(self._run.fence, batch)):
            self._over = True

    async def _recall(self) -> None:
        """Tell of those who left between the run before and this one."""
        for participant in await until_answered(lambda: self._store.there(self._run.fence.session_id)):
            if self._there.setdefault(participant.sid, participant) is participant:
                self._go(participant, boottime_ns())

    def _come(self, participant: Participant, now_ns: int) -> None:
        if participant.sid in self._there or self._full:
            return
        self._there[participant.sid] = participant
        for move in self._untold:
            if move.participant.sid == participant.sid and not move.joined:
                self._untold.remove(move)
                return
        self._note(participant, now_ns, joined=True)

    def _go(self, participant: Participant, now_ns: int) -> None:
        if self._there.pop(participant.sid, None) is not None:
            self._note(participant, now_ns, joined=False)

    @property
    def _full(self) -> bool:
        return self._over or self._noted >= self._store.most

    def _note(self, participant: Participant, now_ns: int, *, joined: bool) -> None:
        if self._full:
            return
        self._noted += 1
        if self._full:
            _log.info("participants.limit_reached", most=self._store.most)
        self._untold.append(Move(participant, joined, self._clock.time_of(now_ns)))
        self._changed.set()
