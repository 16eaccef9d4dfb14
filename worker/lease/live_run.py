"""What the beat loop and a session's runner share of one run: states, not messages. Whoever is woken looks at all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sessions.lifecycle.lifecycle import Status
from store.database.boot_clock import boottime_ns
from store.database.until_answered import until_answered
from store.runs.beat_writing import Beat, RunState
from store.runs.fence import Fence, Replaced
from worker.lease.self_fence import SelfFence

_MOST_STANDSTILLS = 100  # known at a time; each is looked at within seconds

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Counters:
    """What a run has received so far; `peak_dbfs` is that since the counters were taken the last time.

    `first_frame_at` is on PostgreSQL's clock.
    """

    frames: int = 0
    audio_ms: int = 0
    peak_dbfs: float | None = None
    first_frame_at: datetime | None = None


class LiveRun:
    """One claimed run. Everything is changed by verbs; who calls them, and who reads what they change:

    Attributes:
        joined: in the room, which is what beats bill by. Runner and `RoomSeat` change it (`seat`, `lose`, `leave`), and
            `RunRecording` at its end (`leave`); beats and the process's figures read it.
        lost: the room was lost, and may be joined again. `RoomSeat` changes it (`seat`, `lose`); beats read it.
        replaced: another run has the session, or the session is gone; never false again. Beats say so (`prove`), and
            whoever's write the fence refuses (`replace`); everything that others could see looks at it before.
        dropped: this process has given the run away, and does not go on with it. `Shedding` says so (`drop`); stop
            finders read it.
        fenced: the self-fence's deadline has passed without a proven beat. Beats change it (`prove`, `watch`); joining,
            `RoomWatch` and `RoomMessages` read it.
        state: what the last proven beat said, None before the first. Beats change it (`prove`); stop finders,
            `RunStamps` and `RoomMessages` read it.
        proven_ns: when the last beat that came back was sent (boot-time clock), at first when the claim was. Beats move
            it on (`prove`); joining, `RoomSeat` and `RunRecording` wait for it.
        joined_proven_ns: the same, of the last beat that was sent while joined. `RoomSeat` counts its budget from it.
        messages: set when a message may wait to be put into the room: by notifications through `Beats`, and by
            `RoomMessages` in a new room. `RoomMessages` waits for it and clears it.
        woken: set by everything that the runner has to look at (`wake`). The runner waits for it and clears it.
    """

    def __init__(self, fence: Fence, *, claimed_ns: int, stalled_seconds: float) -> None:
        self._fence = fence
        self._joined = False
        self._lost = False
        self._replaced = False
        self._dropped = False
        self._fenced = False
        self._state: RunState | None = None
        self._joined_proven_ns: int | None = None
        self._standstills: deque[tuple[int, int]] = deque(maxlen=_MOST_STANDSTILLS)
        self._messages = asyncio.Event()
        self._woken = asyncio.Event()
        self._take_counters: Callable[[], Counters] = Counters
        self._uploads_pending: Callable[[], int] = lambda: 0
        self._self_fence = SelfFence(stalled_seconds, claimed_ns)
        self._proven = asyncio.Event()

    @property
    def fence(self) -> Fence:
        """What every write of this run carries."""
        return self._fence

    @property
    def joined(self) -> bool:
        """Whether the run is in the room."""
        return self._joined

    @property
    def lost(self) -> bool:
        """Whether the run was in the room and is not any more."""
        return self._lost

    @property
    def replaced(self) -> bool:
        """Whether the session is another run's, or gone."""
        return self._replaced

    @property
    def dropped(self) -> bool:
        """Whether the run was given away, and ends here."""
        return self._dropped

    @property
    def fenced(self) -> bool:
        """Whether this run must not do anything that others could see."""
        return self._fenced

    @property
    def state(self) -> RunState | None:
        """What the last proven beat said of the session."""
        return self._state

    @property
    def paused(self) -> bool:
        """Whether the session is paused, as far as the last proven beat knows."""
        return self._state is not None and self._state.status is Status.PAUSED

    @property
    def proven_ns(self) -> int:
        """When the last beat that came back was sent; at first, when the claim was."""
        return self._self_fence.proven_ns

    @property
    def joined_proven_ns(self) -> int | None:
        """When the last beat was sent that came back and said that the run was in the room."""
        return self._joined_proven_ns

    @property
    def messages(self) -> asyncio.Event:
        """Set when a message may wait."""
        return self._messages

    @property
    def woken(self) -> asyncio.Event:
        """Set when the runner has something to look at."""
        return self._woken

    @property
    def uploads_pending(self) -> int:
        """Sealed segments that the object storage does not have yet."""
        return self._uploads_pending()

    def wake(self) -> None:
        """Let the runner look at everything."""
        self._woken.set()

    def seat(self) -> None:
        """The run is in the room, or back in it."""
        self._joined, self._lost = True, False

    def lose(self) -> None:
        """The room is lost; what lies before the next seat is not billed."""
        self._joined, self._lost = False, True

    def leave(self) -> None:
        """The run has no seat any more, and needs none."""
        self._joined = False

    def replace(self) -> None:
        """The session is another run's, or gone."""
        self._replaced = True
        self._tell()

    def drop(self) -> None:
        """The run was given away: it ends here, whether or not somebody has taken it."""
        self._dropped = True
        self.wake()

    def recorded_by(self, take_counters: Callable[[], Counters], uploads_pending: Callable[[], int]) -> None:
        """From now on beats carry what `take_counters` returns, and figures what `uploads_pending` does."""
        self._take_counters = take_counters
        self._uploads_pending = uploads_pending

    def beat(self) -> Beat:
        """What this run has to say now."""
        counters = self._take_counters()
        return Beat(
            session_id=self.fence.session_id,
            epoch=self.fence.epoch,
            joined=self._joined,
            frames=counters.frames,
            audio_ms=counters.audio_ms,
            peak_dbfs=counters.peak_dbfs,
            first_frame_at=counters.first_frame_at,
            lost=self._lost,
        )

    def prove(self, sent_ns: int, *, joined: bool, state: RunState | None) -> None:
        """A beat that was sent at `sent_ns` came back with `state`; None: the session is not this run's any more."""
        if state is None or state.epoch != self.fence.epoch:
            self._replaced = True
        else:
            self._state = state
            self._self_fence.prove(sent_ns)
            self._fenced = self._self_fence.expired(boottime_ns())
            if joined:
                self._joined_proven_ns = sent_ns
        self._tell()

    def watch(self, now_ns: int) -> None:
        """Close the fence when its deadline has passed."""
        if not self._fenced and self._self_fence.expired(now_ns):
            self._fenced = True
            self._tell()

    def stood_still(self, from_ns: int, to_ns: int) -> None:
        """The whole process was stopped between these instants."""
        self._standstills.append((from_ns, to_ns))
        self.wake()

    @property
    def standstills(self) -> Sequence[tuple[int, int]]:
        """The last stretches (boot-time clock) in which the process did not run, in order."""
        return self._standstills

    async def until_written(self, write: Callable[[], Awaitable[_Answer]]) -> _Answer | None:
        """What a write under this run's fence returns; None once the run is replaced.

        Tried again until the database answers. Has no bound of its own: a run whose database is away for long enough is
        replaced as soon as a beat gets through, and the process's end cancels it.
        """

        async def write_if_ours() -> _Answer:
            if self._replaced:
                raise Replaced(self._fence)
            return await write()

        try:
            return await until_answered(write_if_ours)
        except Replaced:
            self.replace()
            return None

    async def proven_after(self, instant_ns: int) -> None:
        """Wait until a beat sent after `instant_ns` has come back, or the run is replaced.

        Has no bound of its own: sealing, which waits for it, has one.
        """
        while not self._replaced and self.proven_ns <= instant_ns:
            self._proven.clear()
            await self._proven.wait()

    def _tell(self) -> None:
        self._proven.set()
        self.wake()
