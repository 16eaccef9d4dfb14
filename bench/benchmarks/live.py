"""Live transcripts: from the end of a sentence to its line in the log, and what following costs the recorders."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
import psycopg

from bench.measuring.machine import BusyMeter, describe
from bench.measuring.probing import until
from bench.measuring.process_tree import cpu_seconds
from bench.measuring.spread import percentile
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.parley_stack import ParleyApi, ParleyWorker, default_worker, parley_api
from bench.scenes.rooms import room_names, talkers
from parley.servers.livekit_program import find_or_build
from parley.servers.livekit_server import LiveKitServer

_LAGS = """
    SELECT extract(epoch FROM e.created_at - s.started_at)::float8 - e.end_ms / 1000.0::float8
    FROM log_entries e JOIN sessions s ON s.id = e.session_id
    WHERE e.source = 'speech' AND s.status = 'running'
"""
_QUIET_SECONDS = 5.0  # from the last end of a session to the next round: summaries are made
_CLOSED_SECONDS = 180.0  # where other work leaves speech little


@dataclass(frozen=True, slots=True)
class _Round:
    """What so many sessions cost.

    Attributes:
        lags: seconds from the end of each utterance to its entry.
        closed_seconds: from asking for the end to the last transcript's being closed; None: nobody wants one.
        gap_ms: of all recordings together.
    """

    mode: str
    sessions: int
    recorder_percent: float
    speech_percent: float
    machine_percent: float
    lags: list[float]
    closed_seconds: float | None
    gap_ms: int


def bench_live(options: Options) -> None:
    """Run the benchmark: with and without live transcripts, one session and several."""
    folder = options.folder / "live"
    folder.mkdir()
    rounds: list[_Round] = []
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(LiveKitServer(find_or_build(print), folder / "livekit"))
        maintenance = stack.enter_context(postgres(options.database_url, options.folder))
        url = stack.enter_context(fresh_database(maintenance))
        api = stack.enter_context(parley_api(url, folder))
        worker = stack.enter_context(default_worker(url, folder))
        until(lambda: worker.recorders(), what="a recorder process runs")
        for mode, sessions in (("live", 1), ("off", options.sessions), ("live", options.sessions)):
            rounds.append(_measure(options, server, api, worker, url, mode, sessions))
    print_title("live: talkers who never pause for long, one in each room")
    print_note(describe())
    print_table(
        (
            "",
            "sessions",
            "recorder CPU %",
            "speech CPU %",
            "p50 s",
            "p95 s",
            "lines",
            "closed s",
            "gaps ms",
            "machine busy",
        ),
        [_row(one) for one in rounds],
    )
    print_note(
        "Talkers never pause for 0.6 s. They and the LiveKit server share the machine while the sessions run, and"
    )
    print_note("leave before these are ended. Speech has the lowest priority.")
    print_note("Settings are the defaults: a recorder process per core. gaps: what recordings say that they lack.")
    print_note("CPU: of one core, of all sessions together. p50, p95: from the end of an utterance to its line in the")
    print_note("log, of what was logged while the sessions ran. closed: from the end of all sessions to the last")
    print_note("transcript, with the recordings that are built before.")
    for one in rounds:
        if one.lags:
            print_goal(f"{one.sessions} live: seconds to the log, p95", percentile(one.lags, 95), at_most=3)
        if one.closed_seconds is not None:
            print_goal(f"{one.sessions} live: seconds to the last transcript", one.closed_seconds, at_most=5)
        print_goal(f"{one.sessions} {one.mode}: gaps in recordings, ms", one.gap_ms, at_most=0)
    by_mode = {one.mode: one.recorder_percent for one in rounds if one.sessions == options.sessions}
    print_goal("recorder CPU, live / off", by_mode["live"] / by_mode["off"], at_most=1.05)


def _measure(
    options: Options, server: LiveKitServer, api: ParleyApi, worker: ParleyWorker, url: str, mode: str, sessions: int
) -> _Round:
    with talkers(server, sessions, options.folder / "live"):
        ids = [api.create(server, room, transcription={"mode": mode}) for room in room_names(sessions)]
        for session_id in ids:
            api.wait(session_id, "running")
        time.sleep(options.settle_seconds)
        busy, started = BusyMeter(), time.monotonic()
        before = cpu_seconds(worker.recorders()), cpu_seconds(_speech(worker))
        time.sleep(options.window_seconds)
        elapsed = time.monotonic() - started
        recorder = 100 * (cpu_seconds(worker.recorders()) - before[0]) / elapsed
        speech = 100 * (cpu_seconds(_speech(worker)) - before[1]) / elapsed
        machine_percent = busy.read().machine_percent
        with psycopg.connect(url) as conn:
            lags = [float(lag) for (lag,) in conn.execute(_LAGS).fetchall()]
    ended = time.monotonic()
    for session_id in ids:
        api.end(session_id)
    until(
        lambda: all(_is_closed(api, one) for one in ids),
        what="the transcripts are closed",
        seconds=_CLOSED_SECONDS,
        poll_seconds=0.5,
    )
    closed = time.monotonic() - ended
    time.sleep(0 if options.quick else _QUIET_SECONDS)
    gap_ms = sum(_gap_ms(api, one) for one in ids)
    return _Round(mode, sessions, recorder, speech, machine_percent, lags, closed if mode == "live" else None, gap_ms)


def _is_closed(api: ParleyApi, session_id: str) -> bool:
    found = api.call("GET", f"/v1/sessions/{session_id}/transcript")
    return found["status"] in ("available", "incomplete")


def _gap_ms(api: ParleyApi, session_id: str) -> int:
    api.wait(session_id, "terminal")
    found = api.call("GET", f"/v1/sessions/{session_id}/recording")
    return sum(gap["end_ms"] - gap["start_ms"] for gap in found["gaps"])


def _speech(worker: ParleyWorker) -> Sequence[psutil.Process]:
    return worker.named("speech")


def _row(one: _Round) -> tuple[str, ...]:
    return (
        one.mode,
        str(one.sessions),
        f"{one.recorder_percent:.1f}",
        f"{one.speech_percent:.1f}",
        f"{percentile(one.lags, 50):.2f}" if one.lags else "",
        f"{percentile(one.lags, 95):.2f}" if one.lags else "",
        str(len(one.lags)),
        "" if one.closed_seconds is None else f"{one.closed_seconds:.1f}",
        str(one.gap_ms),
        f"{one.machine_percent:.0f} %",
    )
