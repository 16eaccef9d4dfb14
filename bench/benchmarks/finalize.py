"""Finalizing: how many times faster than real time, and in how much memory."""

import contextlib
import shutil
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psycopg

from audio.pcm import SAMPLE_RATE
from bench.children.line_child import LineChild
from bench.measuring.machine import BusyMeter, describe
from bench.measuring.spread import median
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.ending_session import insert_ending_session
from bench.scenes.rooms import child_argv
from bench.scenes.spool_maker import write_segments
from sessions.ids import format_id, new_uuid
from sessions.settings import Settings

_REPETITIONS = 3
_TIMEOUT_SECONDS = 1200.0


@dataclass(frozen=True, slots=True)
class _Run:
    minutes: float
    seconds: float
    cpu: float
    idle_mb: float
    peak_mb: float
    machine_percent: float
    peaks: float = 0.0
    loudness: float = 0.0

    @property
    def times_real_time(self) -> float:
        return self.minutes * 60 / self.seconds


def bench_finalize(options: Options) -> None:
    """Run the benchmark."""
    repetitions = 1 if options.quick else _REPETITIONS
    rows: list[tuple[str, ...]] = []
    runs: dict[tuple[str, int], _Run] = {}
    with postgres(options.database_url, options.folder) as maintenance, fresh_database(maintenance) as url:
        for minutes in options.minutes:
            found: dict[str, list[_Run]] = {"build": [], "finalize": []}
            for _ in range(repetitions):
                found["build"].append(_build(options.folder, minutes))
                found["finalize"].append(_finalize(url, options.folder, minutes))
            for name, measured in found.items():
                runs[name, minutes] = _median_run(measured)
                rows.append(_row(name, runs[name, minutes]))
    print_title(f"finalize: two tracks into a mono WAV, medians of {repetitions}")
    print_note(describe())
    print_table(("", "seconds", "× real time", "CPU s", "peak MB", "above idle MB", "machine busy"), rows)
    print_note("build: audio.build from segment files. finalize: the whole job: freeze, build, store with fsync, read")
    print_note("back, commit, delete segments. Each in a fresh process; the segments were written just before.")
    short, long = options.minutes
    whole = runs["finalize", long]
    print_goal(f"finalize, {long} minutes, × real time", whole.times_real_time, at_least=200)
    built = runs["build", long]
    print_note(f"Of the build's time, {100 * built.loudness / built.seconds:.0f} % go into loudness and true peaks.")
    print_goal("peaks' and levels' share of the build, %", 100 * built.peaks / built.seconds, at_most=2)
    growth = whole.peak_mb / runs["finalize", short].peak_mb
    print_goal(f"peak memory, {long} minutes / {short} minutes", growth, at_most=1.1)


def _median_run(measured: list[_Run]) -> _Run:
    """The median of each figure."""
    return _Run(*(median([getattr(run, one.name) for run in measured]) for one in fields(_Run)))


def _build(folder: Path, minutes: int) -> _Run:
    spool = folder / "build"
    try:
        segments = _segments(spool, "sess_bench", minutes)
        where = {
            "segments": [(key.name, str(path)) for key, path in segments],
            "length_samples": minutes * 60 * SAMPLE_RATE,
            "wav": str(spool / "out.wav"),
        }
        return _measure("build_once", where, minutes, folder)
    finally:
        shutil.rmtree(spool, ignore_errors=True)


def _finalize(url: str, folder: Path, minutes: int) -> _Run:
    session_id = new_uuid()
    name = format_id("sess", session_id)
    storage = folder / "objects"
    try:
        _segments(storage / "spool" / name, name, minutes)
        insert_ending_session(url, session_id, minutes=minutes)
        where = {
            "database_url": url,
            "storage_url": storage.as_uri(),
            "temporary": str(folder / "tmp"),
            "session_id": str(session_id),
        }
        run = _measure("finalize_once", where, minutes, folder)
        with psycopg.connect(url) as conn:
            row = conn.execute("SELECT status, recording_state FROM sessions WHERE id = %s", (session_id,)).fetchone()
        if row != ("ended", "available"):
            raise RuntimeError(f"the session was not finalized: {row}")
        return run
    finally:
        shutil.rmtree(storage, ignore_errors=True)


def _segments(folder: Path, name: str, minutes: int) -> list[tuple[Any, Path]]:
    seconds: float = Settings.model_fields["segment_seconds"].default
    return list(write_segments(folder, name, minutes=minutes, segment_seconds=seconds))


def _measure(child_name: str, request: dict[str, Any], minutes: int, folder: Path) -> _Run:
    with contextlib.ExitStack() as stack:
        child = stack.enter_context(LineChild(child_argv(child_name), folder / f"{child_name}.log"))
        idle = child.receive()
        busy = BusyMeter()
        done = child.ask(request, seconds=_TIMEOUT_SECONDS)
        return _Run(
            minutes,
            done["seconds"],
            done["cpu"],
            idle["idle_mb"],
            done["peak_mb"],
            busy.read().machine_percent,
            done.get("peaks", 0.0),
            done.get("loudness", 0.0),
        )


def _row(name: str, run: _Run) -> tuple[str, ...]:
    return (
        f"{name}, {run.minutes:g} minutes",
        f"{run.seconds:.2f}",
        f"{run.times_real_time:.0f}",
        f"{run.cpu:.2f}",
        f"{run.peak_mb:.0f}",
        f"{run.peak_mb - run.idle_mb:.0f}",
        f"{run.machine_percent:.0f} %",
    )
