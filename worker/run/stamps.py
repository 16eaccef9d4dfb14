"""The stamps of a session that its recording follows: where it was paused, resumed and ended.

From a stamp on nothing is kept, whenever the run learns of it.
"""

from datetime import datetime

from audio.pcm import SAMPLE_RATE
from store.database.database import Database
from store.database.until_answered import until_answered
from store.lifecycle.pauses import Pause
from store.runs.beat_writing import RunState
from store.runs.fence import Fence
from store.runs.leftover_runs import find_leftover_run
from worker.capture.recorder import Recorder
from worker.clock.pause_ranges import pause_ranges
from worker.clock.session_clock import SessionClock
from worker.spool.uploader import Uploader

_LATE_SAMPLES = SAMPLE_RATE // 10


class RunStamps:
    """Tells recorder and uploader what to leave out.

    Args:
        pauses: those that were known when the recording began.
    """

    def __init__(
        self, clock: SessionClock, recorder: Recorder, uploader: Uploader, pauses: tuple[Pause, ...] = ()
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._uploader = uploader
        self._known: tuple[Pause, ...] = ()
        self._leave_out(pauses)

    def follow(self, state: RunState | None, now_ns: int) -> None:
        """Take what the last beat said, None before the first; what came between a resume and now was not kept."""
        if state is None:
            return
        self.end_at(state.ending_at)
        if state.pauses == self._known:
            return
        was_paused = bool(self._known) and self._known[-1].resumed_at is None
        self._leave_out(state.pauses)
        resumed_at = state.pauses[-1].resumed_at if state.pauses else None
        if was_paused and resumed_at is not None:
            start, now = self._clock.sample_of(resumed_at), self._clock.sample_at(now_ns)
            if now - start > _LATE_SAMPLES:
                self._recorder.gap("gap.paused", start, now)

    def end_at(self, ending_at: datetime | None) -> None:
        """The session ended at this instant, None: it has not ended; nothing later is uploaded."""
        if ending_at is not None:
            self._uploader.cut_at(self._clock.sample_of(ending_at))

    async def follow_database(self, db: Database, fence: Fence) -> None:
        """Ask for the session's stamps once more: a replaced run may not have heard of the last ones.

        Asks until the database answers; sealing, which calls this, has a bound.
        """
        found = await until_answered(lambda: find_leftover_run(db, fence))
        if found is not None:
            self.end_at(found.stop_at)
            self._leave_out(found.pauses)

    def _leave_out(self, pauses: tuple[Pause, ...]) -> None:
        self._known = pauses
        cuts = pause_ranges(pauses, self._clock)
        self._recorder.leave_out(cuts)
        self._uploader.leave_out(cuts)
