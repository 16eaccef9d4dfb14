"""From creating a session to running, beyond what joining the room costs anybody."""

import contextlib
import time
from datetime import datetime

from bench.children.line_child import LineChild
from bench.measuring.machine import BusyMeter, describe
from bench.measuring.spread import median, percentile
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.parley_stack import ParleyApi, parley_api, parley_worker
from bench.scenes.rooms import child_argv, recorder_token
from parley.servers.livekit_program import find_or_build
from parley.servers.livekit_server import LiveKitServer

_WARM_UP = 3


def bench_create(options: Options) -> None:
    """Run the benchmark."""
    seen: list[float] = []
    stamped: list[float] = []
    bare: list[float] = []
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(LiveKitServer(find_or_build(print), options.folder / "livekit"))
        url = stack.enter_context(fresh_database(stack.enter_context(postgres(options.database_url, options.folder))))
        api = stack.enter_context(parley_api(url, options.folder))
        stack.enter_context(
            parley_worker(url, options.folder, processes=1, heartbeat_seconds=options.heartbeat_seconds)
        )
        joins = stack.enter_context(LineChild(child_argv("bare_connect"), options.folder / "bare_connect.log"))
        busy = BusyMeter()
        warm_up = 0 if options.quick else _WARM_UP
        for number in range(warm_up + options.creates):
            room = f"bare-{number}"
            connect_ms = 1000 * joins.ask({"url": server.url, "token": recorder_token(server, room)})
            create_ms, stamped_ms = _create(api, server, f"created-{number}")
            if number >= warm_up:
                bare.append(connect_ms)
                seen.append(create_ms)
                stamped.append(stamped_ms)
        was_busy = busy.read()
    connect = median(bare)
    beyond = [one - connect for one in seen]
    print_title(f"create → running, milliseconds, {options.creates} sessions, bare connects between them")
    print_note(describe())
    print_table(
        ("", "p50", "p95", "max"),
        [
            _row("bare Room.connect into a new room", bare),
            _row("create → running, as the client sees it", seen),
            _row("created_at → started_at, by the stamps", stamped),
            _row("create → running minus the median connect", beyond),
        ],
    )
    print_note("The client posts, then long-polls until=running; one idle worker, one session at a time.")
    print_note(f"Machine {was_busy.machine_percent:.0f} % busy, {was_busy.strangers_percent:.0f} % by others.")
    print_goal("beyond a bare connect, p50 ms", percentile(beyond, 50), at_most=100)
    print_goal("beyond a bare connect, p95 ms", percentile(beyond, 95), at_most=300)


def _create(api: ParleyApi, server: LiveKitServer, room: str) -> tuple[float, float]:
    """One session, from nothing to its end; milliseconds until it ran, seen by us and by its stamps."""
    started = time.perf_counter()
    session_id = api.create(server, room)
    session = api.wait(session_id, "running")
    elapsed_ms = 1000 * (time.perf_counter() - started)
    if session["status"] != "running":
        raise RuntimeError(f"a session did not run: {session['status']} {session['error']}")
    api.end(session_id)
    api.wait(session_id, "terminal")
    stamps = [datetime.fromisoformat(session[name]) for name in ("created_at", "started_at")]
    return elapsed_ms, 1000 * (stamps[1] - stamps[0]).total_seconds()


def _row(name: str, values: list[float]) -> tuple[str, ...]:
    return name, f"{percentile(values, 50):.0f}", f"{percentile(values, 95):.0f}", f"{max(values):.0f}"
