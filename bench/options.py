"""What a run of the benchmarks is asked to do."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a run.

    Attributes:
        quick: a smoke run, whose figures mean nothing.
        folder: where everything is written; removed afterwards.
        database_url: a superuser's database on a PostgreSQL to use; None: an embedded one.
        sessions: sessions of the first recording table.
        most_sessions: never more of them in the second one.
        rounds: how often each contender is measured.
        settle_seconds: between the first audio and the window.
        window_seconds: over which CPU is counted.
        creates: sessions created by `create`.
        messages: messages of each kind sent by `messages`.
        minutes: lengths of the recordings that `finalize` builds.
        rows: table sizes of `lists`.
        pages: requests per kind of page in `lists`.
        streams: open at once in `streams`.
        stream_creates: sessions created without and with them.
        endpoints: of webhooks, in `webhooks`.
        hooked: events that go to all of them.
        replayed: events that go to one of them once more.
        beat_sessions: session counts of `beats`.
        heartbeat_seconds: of Parley's workers.
    """

    quick: bool
    folder: Path
    database_url: str | None
    sessions: int
    most_sessions: int
    rounds: int
    settle_seconds: float
    window_seconds: float
    creates: int
    messages: int
    minutes: tuple[int, ...]
    rows: tuple[int, ...]
    pages: int
    streams: int
    stream_creates: int
    endpoints: int
    hooked: int
    replayed: int
    beat_sessions: tuple[int, ...]
    heartbeat_seconds: float
