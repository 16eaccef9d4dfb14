"""Two thousand streams of events on one API process: their memory, and what they cost whoever creates sessions."""

import contextlib
import time
import uuid
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from bench.children.line_child import LineChild
from bench.measuring.machine import BusyMeter, describe
from bench.measuring.process_tree import memory
from bench.measuring.spread import median, percentile
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.parley_stack import MASTER_KEY, ParleyApi, parley_api
from bench.scenes.rooms import child_argv, unserved_transport
from sessions.ids import format_id

_WARM_UP = 20
_OPEN_SECONDS = 300
_PAUSE_SECONDS = 0.02  # between creates: a process with time to breathe
_MEMORY_KB = 50
_RATIO = 1.25


def bench_streams(options: Options) -> None:
    """Run the benchmark."""
    of_sessions = [
        f"/v1/events/stream?session_id={quote(format_id('sess', uuid.uuid4()))}" for _ in range(options.streams)
    ]
    of_everything = ["/v1/events/stream"] * options.streams
    busy = BusyMeter()
    times: dict[str, list[float]] = {}
    kilobytes: dict[str, float] = {}
    alone: dict[str, list[float]] = {}
    for name, paths in (("each of a session", of_sessions), ("each of everything", of_everything)):
        with _api(options) as api:
            _creates(api, _WARM_UP)
            alone[name] = _creates(api, options.stream_creates)
            before = memory([api.process]).uss
            with LineChild(child_argv("stream_readers"), options.folder / "streams.log") as readers:
                readers.ask({"url": api.url, "key": MASTER_KEY, "paths": paths}, seconds=_OPEN_SECONDS)
                kilobytes[name] = 1000 * (memory([api.process]).uss - before) / len(paths)
                times[name] = _creates(api, options.stream_creates)
                left = readers.ask({})
                if left["open"] != len(paths):
                    raise RuntimeError(f"streams have ended: {left['open']} of {len(paths)} are left")
    was_busy = busy.read()
    print_title(f"streams: {options.streams:,} on one API process; a create, ms, {options.stream_creates} of each")
    print_note(describe())
    rows = []
    for name, found in times.items():
        rows.append((f"without streams, before {name}", *_spread(alone[name]), ""))
        rows.append((f"with streams, {name}", *_spread(found), f"{kilobytes[name]:.1f}"))
    print_table(("", "p50", "p95", "p99", "KB per stream"), rows)
    print_note("Each create makes two events. Readers are in a process of their own, on the same cores.")
    print_note(f"Machine {was_busy.machine_percent:.0f} % busy, {was_busy.strangers_percent:.0f} % by others.")
    print_goal("memory per stream, KB", max(kilobytes.values()), at_most=_MEMORY_KB)
    for name, found in times.items():
        ratio = percentile(found, 99) / percentile(alone[name], 99)
        print_goal(f"a create's p99 with / without streams, {name}", ratio, at_most=_RATIO)


def _spread(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(f"{one:.1f}" for one in (median(values), percentile(values, 95), percentile(values, 99)))


@contextlib.contextmanager
def _api(options: Options) -> Iterator[ParleyApi]:
    allowed = {name: str(options.streams + 10) for name in ("PARLEY_EVENT_STREAMS", "PARLEY_EVENT_STREAMS_PER_KEY")}
    with contextlib.ExitStack() as stack:
        maintenance = stack.enter_context(postgres(options.database_url, options.folder))
        url = stack.enter_context(fresh_database(maintenance))
        yield stack.enter_context(parley_api(url, options.folder, allowed))


def _creates(api: ParleyApi, count: int) -> list[float]:
    """Milliseconds of each."""
    found = []
    for _ in range(count):
        time.sleep(_PAUSE_SECONDS)
        body = {"transport": unserved_transport(f"room-{uuid.uuid4()}")}
        started = time.perf_counter()
        api.call("POST", "/v1/sessions", body)
        found.append(1000 * (time.perf_counter() - started))
    return found
