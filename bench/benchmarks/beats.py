"""Beat statements per second: of the process, not of the session."""

import contextlib
import time
from dataclasses import dataclass

import psycopg

from bench.measuring.table import print_goal, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.parley_stack import ParleyApi, parley_api, parley_worker
from bench.scenes.rooms import room_names, talkers
from parley.servers.livekit_program import find_or_build
from parley.servers.livekit_server import LiveKitServer

_BEATS = 6  # in a window
_QUICK_BEATS = 2

# A statement trigger and a sequence: exact, cheap, and not rolled back with anything.
_COUNT = """
    CREATE SEQUENCE bench_beats;
    CREATE SEQUENCE bench_rows;
    CREATE FUNCTION bench_count() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM nextval(TG_ARGV[0]); RETURN NULL; END $$;
    CREATE TRIGGER bench_beats AFTER UPDATE OF beat_at ON runs
        FOR EACH STATEMENT EXECUTE FUNCTION bench_count('bench_beats');
    CREATE TRIGGER bench_rows AFTER UPDATE OF beat_at ON runs
        FOR EACH ROW EXECUTE FUNCTION bench_count('bench_rows');
"""


@dataclass(frozen=True, slots=True)
class _Counts:
    statements: int
    rows: int
    transactions: int


def bench_beats(options: Options) -> None:
    """Run the benchmark."""
    heartbeat = options.heartbeat_seconds
    window = heartbeat * (_QUICK_BEATS if options.quick else _BEATS)
    rates: dict[int, tuple[float, float, float]] = {}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(LiveKitServer(find_or_build(print), options.folder / "livekit"))
        url = stack.enter_context(fresh_database(stack.enter_context(postgres(options.database_url, options.folder))))
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(_COUNT)
        api = stack.enter_context(parley_api(url, options.folder))
        stack.enter_context(parley_worker(url, options.folder, processes=1, heartbeat_seconds=heartbeat))
        stack.enter_context(talkers(server, max(options.beat_sessions), options.folder))
        for count in options.beat_sessions:
            rates[count] = _rates(url, api, server, count, window)
    print_title(f"beats of one recorder process over {window:g} s, one beat per {heartbeat:g} s")
    rows = [(f"{count} sessions", *(f"{rate:.2f}" for rate in rates[count])) for count in rates]
    print_table(("", "beat statements/s", "runs written/s", "transactions/s, all processes"), rows)
    few, many = options.beat_sessions
    print_goal(f"beat statements per second, {many} sessions / {few}", rates[many][0] / rates[few][0], at_most=1.05)


def _rates(url: str, api: ParleyApi, server: LiveKitServer, count: int, window: float) -> tuple[float, float, float]:
    ids = [api.create(server, room) for room in room_names(count)]
    for session_id in ids:
        api.wait(session_id, "running")
    time.sleep(1)
    before, started = _counts(url), time.monotonic()
    time.sleep(window)
    after, elapsed = _counts(url), time.monotonic() - started
    for session_id in ids:
        api.end(session_id)
    for session_id in ids:
        api.wait(session_id, "terminal")
    return (
        (after.statements - before.statements) / elapsed,
        (after.rows - before.rows) / elapsed,
        (after.transactions - before.transactions) / elapsed,
    )


def _counts(url: str) -> _Counts:
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(
            "SELECT (SELECT last_value FROM bench_beats), (SELECT last_value FROM bench_rows), xact_commit "
            "FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return _Counts(*row)
