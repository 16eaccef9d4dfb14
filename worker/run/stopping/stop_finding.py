"""Reasons to stop that the room does not give: those of the database, the process, its spool and the clock."""

from datetime import timedelta

from sessions.lifecycle.lifecycle import SETTLED
from sessions.lifecycle.stop import Stop
from worker.lease.drain import Drain
from worker.lease.live_run import LiveRun
from worker.room.presence import RoomPresence
from worker.run.recording import RunRecording
from worker.run.stopping.run_stop import RunStop, StopKind


def stop_from_database(run: LiveRun, drain: Drain, *, in_room: bool, now_ns: int) -> RunStop | None:
    """Somebody stopped the session, another run has it, or this process has given it away, or handed it over for long
    enough."""
    if run.dropped:
        return RunStop(StopKind.REPLACED if run.replaced else StopKind.HANDED_OVER)
    if drain.deadline_ns is not None and (not in_room or now_ns >= drain.deadline_ns):
        return RunStop(StopKind.REPLACED if run.replaced else StopKind.HANDED_OVER)
    if run.replaced and not drain.draining:
        return RunStop(StopKind.REPLACED)
    if run.state is not None and run.state.status in SETTLED:
        return RunStop(StopKind.COMMANDED, run.state.stop)
    return None


def stop_from_spool(recording: RunRecording | None) -> RunStop | None:
    """The spool cannot be written any more."""
    code = None if recording is None else recording.failure
    return None if code is None else RunStop.found(Stop.failed(code, "the worker could not write its spool"))


def stop_from_clock(
    run: LiveRun, recording: RunRecording, presence: RoomPresence, *, max_duration_seconds: float, now_ns: int
) -> RunStop | None:
    """The session has lasted as long as it may, or nobody has been there for too long."""
    limit = recording.clock.started_at + timedelta(seconds=max_duration_seconds)
    if recording.clock.time_of(now_ns) >= limit:
        return RunStop.found(Stop.ended("end.max_duration", at=limit))
    presence.hold(run.paused, now_ns)
    presence.stream(recording.streaming, now_ns)
    idle_ns = presence.idle_deadline_ns()
    if idle_ns is not None and now_ns >= idle_ns:
        return RunStop.found(Stop.ended("end.idle_timeout"))
    return None
