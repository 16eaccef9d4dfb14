"""What a beat proves, said a second time and in Python: the SQL of `store.runs.beat_writing` is tested against it."""

from datetime import datetime, timedelta

from sessions.texts.timestamps import MILLISECOND


def proven_ms(
    *,
    now: datetime,
    previous_beat: datetime,
    running_since: datetime | None,
    paused_at: datetime | None,
    ending_at: datetime | None,
    started_at: datetime | None,
    max_duration_seconds: int,
    stalled_seconds: float,
) -> int:
    """What one beat adds to the bill, in whole milliseconds.

    `least(now, paused_at, ending_at, the
    session's longest duration after started_at) − greatest(previous beat, running since)`, clamped to
    0…`stalled_seconds`.
    """
    longest = None if started_at is None else started_at + timedelta(seconds=max_duration_seconds)
    until = min(stamp for stamp in (now, paused_at, ending_at, longest) if stamp is not None)
    since = max(stamp for stamp in (previous_beat, running_since) if stamp is not None)
    span = min(max(until - since, timedelta(0)), timedelta(seconds=stalled_seconds))
    return span // MILLISECOND
