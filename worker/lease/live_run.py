"""What the beat loop and a session's runner share of one run. Levels, not messages: whoever is woken looks at all."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from store.database.boot_clock import boottime_ns
from store.runs.beat_writing import Beat, RunState
from store.runs.fence import Fence
from worker.lease.self_fence import SelfFence


class LiveRun:
    """One claimed run.

    Attributes:
        joined: we are in the room; what beats bill by.
        lost: we were, and may be again.
        replaced: another run has the session, or it is gone.
        fenced: the self-fence's deadline has passed without a proven beat.
        state: what the last proven beat said.
        proven_ns: when that beat was sent (boot-time clock).
        joined_proven_ns: the same, of the last beat that was sent while joined.
        messages: set when a message may wait to be put into the room.
        standstills: stretches (boot-time clock) in which this process did not run; taken out by the runner.
    """

    def __init__(self, fence: Fence, *, claimed_ns: int, stalled_seconds: float) -> None:
        self.fence = fence
        self.joined = False
        self.lost = False
        self.replaced = False
        self.fenced = False
        self.state: RunState | None = None
        self.joined_proven_ns: int | None = None
        self.standstills: list[tuple[int, int]] = []
        self.messages = asyncio.Event()
        self.wake: Callable[[], None] = lambda: None
        self.counters: Callable[[], Counters] = Counters
        self.uploads_pending: Callable[[], int] = lambda: 0
        self._self_fence = SelfFence(stalled_seconds, claimed_ns)
        self._news = asyncio.Event()

    @property
    def proven_ns(self) -> int:
        """When the last beat that came back was sent; at first, when the claim was."""
        return self._self_fence.proven_ns

    def beat(self) -> Beat:
        """What this run has to say now."""
        counters = self.counters()
        return Beat(
            session_id=self.fence.session_id,
            epoch=self.fence.epoch,
            joined=self.joined,
            frames=counters.frames,
            audio_ms=counters.audio_ms,
            peak_dbfs=counters.peak_dbfs,
            first_frame_at=counters.first_frame_at,
            lost=self.lost,
        )

    def prove(self, sent_ns: int, *, joined: bool, state: RunState | None) -> None:
        """A beat that was sent at `sent_ns` came back with `state`; None: replaced."""
        if state is None or state.epoch != self.fence.epoch:
            self.replaced = True
        else:
            self.state = state
            self._self_fence.prove(sent_ns)
            self.fenced = self._self_fence.expired(boottime_ns())
            if joined:
                self.joined_proven_ns = sent_ns
        self._tell()

    def watch(self, now_ns: int) -> None:
        """Close the fence when its deadline has passed."""
        if not self.fenced and self._self_fence.expired(now_ns):
            self.fenced = True
            self._tell()

    def stood_still(self, from_ns: int, to_ns: int) -> None:
        """The whole process was stopped in between."""
        self.standstills.append((from_ns, to_ns))
        self.wake()

    async def proven_after(self, instant_ns: int) -> None:
        """Wait until a beat sent after `instant_ns` has come back, or the run is replaced."""
        while not self.replaced and self.proven_ns <= instant_ns:
            self._news.clear()
            await self._news.wait()

    def _tell(self) -> None:
        self._news.set()
        self.wake()


class Counters:
    """What a run has received so far; `peak_dbfs` since this was asked the last time."""

    def __init__(
        self,
        frames: int = 0,
        audio_ms: int = 0,
        peak_dbfs: float | None = None,
        first_frame_at: datetime | None = None,
    ) -> None:
        self.frames = frames
        self.audio_ms = audio_ms
        self.peak_dbfs = peak_dbfs
        self.first_frame_at = first_frame_at
