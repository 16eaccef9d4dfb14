"""Transcribing: how much time is lost around the engine, which sets the pace; how many words it gets wrong."""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from audio.pcm import SAMPLE_RATE, SPEECH_RATE, Pcm
from audio.segments.track_tally import TrackLabel
from audio.track_audio import TrackPiece
from bench.children.line_child import ChildFailedError, LineChild
from bench.measuring.machine import BusyMeter, describe
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.measuring.word_errors import word_errors
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.ending_session import insert_ending_session
from bench.scenes.rooms import child_argv
from bench.scenes.spoken_corpora import (
    PROMPT_PACKAGES,
    READ_PACKAGE,
    Corpus,
    demo_speech,
    read_speech,
    telephone_prompts,
)
from bench.scenes.spool_maker import FRAME_SAMPLES, write_segments
from parley.demo.script import SPOKEN_RATE, TALKERS, part_of
from sessions.ids import format_id, new_uuid
from sessions.settings import Settings
from worker.outputs.speech.engines.moonshine_engine import MoonshineEngine
from worker.outputs.speech.utterances import find_utterances

_ENDPOINT_TIMES_REAL_TIME = 60.0  # of the endpoint that takes its time, as one on a GPU
_PROMPTS, _QUICK_PROMPTS = 100, 5
_TIMES = 5  # what is short is measured so often
_PAUSE_SECONDS = 5.0  # after each round of the conversation, in which nobody speaks
_HISS_RMS = 4.0  # -78 dBFS: what a microphone picks up in a quiet room
_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class _Case:
    """An engine and how long a recording it hears; its settings are known once it runs."""

    name: str
    minutes: float
    times_real_time: float | None = None
    is_endpoint: bool = True


@dataclass(frozen=True, slots=True)
class _Run:
    voiced_seconds: float
    engine_seconds: float
    job_seconds: float
    job_cpu: float
    peak_mb: float
    machine_percent: float

    @property
    def ratio(self) -> float:
        return self.job_seconds / self.engine_seconds


def bench_transcribe(options: Options) -> None:
    """Run the benchmark."""
    short, long = (0.25, 0.5) if options.quick else options.minutes
    cases = (
        _Case("moonshine", short, is_endpoint=False),
        _Case(f"endpoint, {_ENDPOINT_TIMES_REAL_TIME:g} × real time", long, _ENDPOINT_TIMES_REAL_TIME),
        _Case("endpoint, answers at once", short),
    )
    loops = _conversation()
    runs: list[_Run] = []
    with postgres(options.database_url, options.folder) as maintenance, fresh_database(maintenance) as url:
        for case in cases:
            with _engine(case, options.folder) as settings:
                times = 1 if options.quick or case.minutes > short else _TIMES
                runs.append(_best([_measure(url, options.folder, case, settings, loops) for _ in range(times)]))
    print_title("transcribe: two tracks, by the engine alone and by the whole job")
    print_note(describe())
    header = (
        "",
        "voiced s",
        "engine alone s",
        "× real time",
        "job s",
        "job / engine",
        "around it s",
        "CPU s",
        "peak MB",
    )
    print_table((*header, "machine busy"), [_row(case, run) for case, run in zip(cases, runs, strict=True)])
    print_note(
        "engine alone: it hears the very utterances that the job asks it for, found before. job: segments, tracks,"
    )
    print_note("voice, engine, log, file, in a fresh process with the engine loaded. What is short is measured")
    print_note(f"{_TIMES} times, and the fastest one of each counts; a busy machine shows all the same.")
    for case, run in zip(cases[:2], runs[:2], strict=True):
        print_goal(f"{case.name}, {case.minutes:g} minutes: job / engine alone", run.ratio, at_most=1.1)
    hour = runs[2].job_seconds * 60 / cases[2].minutes
    print_goal("an hour around an engine that answers at once, × real time", 3600 / hour, at_least=60)
    _print_word_errors(_QUICK_PROMPTS if options.quick else _PROMPTS)


def _print_word_errors(prompts: int) -> None:
    """Of the embedded engine, behind the voice gate, as the job hears a track."""
    engine = MoonshineEngine()
    found = {"the demo, a synthetic voice": _word_errors(engine, demo_speech())}
    for name, corpus, packages in (
        ("read speech", read_speech(), READ_PACKAGE),
        ("telephone prompts of 8 kHz", telephone_prompts(prompts), PROMPT_PACKAGES),
    ):
        if corpus:
            found[name] = _word_errors(engine, corpus)
        else:
            print_note(f"Not measured: {name} (apt install {packages}).")
    rows = [(name, str(words), str(wrong), f"{100 * wrong / words:.1f}") for name, (wrong, words) in found.items()]
    print_table(("moonshine", "words", "wrong", "%"), rows)
    if read := found.get("read speech"):
        print_goal("wrong words of read speech, %", 100 * read[0] / read[1], at_most=10)


def _word_errors(engine: MoonshineEngine, corpus: Corpus) -> tuple[int, int]:
    """How many are wrong, and how many were said."""
    label = TrackLabel(identity="", sid="")
    counts = []
    for pcm, said in corpus:
        track = np.concatenate([pcm, np.zeros(SPEECH_RATE, dtype=np.int16)])
        heard = [
            asyncio.run(engine.recognize(one.pcm)).text for one in find_utterances([[TrackPiece(label, 0, track)]])
        ]
        counts.append(word_errors(said, " ".join(heard)))
    wrong, words = zip(*counts, strict=True)
    return sum(wrong), sum(words)


def _best(runs: list[_Run]) -> _Run:
    """The fastest engine and the fastest job: whatever else runs only makes them slower."""
    fastest = min(runs, key=lambda run: run.job_seconds)
    return replace(fastest, engine_seconds=min(run.engine_seconds for run in runs))


@contextlib.contextmanager
def _engine(case: _Case, folder: Path) -> Iterator[dict[str, Any]]:
    """The settings that choose it, while it can be asked."""
    if not case.is_endpoint:
        yield {"speech_engine": "moonshine"}
        return
    with LineChild(child_argv("speech_server"), folder / "speech_server.log") as server:
        yield {"speech_url": server.ask({"times_real_time": case.times_real_time})["url"]}


def _conversation() -> list[Pcm]:
    """One round of the demo's conversation, each talker's track with the hiss of a microphone."""
    random = np.random.default_rng(11)
    tracks = []
    for who in TALKERS:
        spoken = np.repeat(part_of(who), SAMPLE_RATE // SPOKEN_RATE)
        spoken = np.concatenate([spoken, np.zeros(round(_PAUSE_SECONDS * SAMPLE_RATE), dtype=np.int16)])
        spoken = spoken[: len(spoken) // FRAME_SAMPLES * FRAME_SAMPLES]
        tracks.append((spoken + random.normal(0, _HISS_RMS, len(spoken))).clip(-32768, 32767).astype(np.int16))
    return tracks


def _measure(url: str, folder: Path, case: _Case, settings: dict[str, Any], loops: list[Pcm]) -> _Run:
    session_id = new_uuid()
    name = format_id("sess", session_id)
    storage = folder / "objects"
    segment_seconds: float = Settings.model_fields["segment_seconds"].default
    where = {
        "database_url": url,
        "storage_url": storage.as_uri(),
        "temporary": str(folder / "tmp"),
        "session_id": str(session_id),
        "settings": settings,
    }
    try:
        write_segments(
            storage / "spool" / name, name, minutes=case.minutes, segment_seconds=segment_seconds, loops=loops
        )
        insert_ending_session(url, session_id, minutes=case.minutes)
        _ask("finalize_once", where, folder)
        engine = _ask("transcribe_once", {**where, "mode": "engine"}, folder)
        busy = BusyMeter()
        job = _ask("transcribe_once", {**where, "mode": "job"}, folder)
        machine_percent = busy.read().machine_percent
        with psycopg.connect(url) as conn:
            state = conn.execute("SELECT state FROM transcripts WHERE session_id = %s", (session_id,)).fetchone()
        if state != ("available",):
            raise RuntimeError(f"the session was not transcribed: {state}")
        return _Run(
            engine["voiced_seconds"], engine["seconds"], job["seconds"], job["cpu"], job["peak_mb"], machine_percent
        )
    finally:
        shutil.rmtree(storage, ignore_errors=True)


def _ask(child_name: str, request: dict[str, Any], folder: Path) -> dict[str, Any]:
    with LineChild(child_argv(child_name), folder / f"{child_name}.log") as child:
        child.receive()
        done: dict[str, Any] = child.ask(request, seconds=_TIMEOUT_SECONDS)
    if "code" in done:
        raise ChildFailedError(f"{done['code']}: {done['message']}")
    return done


def _row(case: _Case, run: _Run) -> tuple[str, ...]:
    return (
        f"{case.name}, {case.minutes:g} minutes",
        f"{run.voiced_seconds:.0f}",
        f"{run.engine_seconds:.2f}",
        f"{run.voiced_seconds / run.engine_seconds:.1f}",
        f"{run.job_seconds:.2f}",
        f"{run.ratio:.3f}",
        f"{run.job_seconds - run.engine_seconds:.2f}",
        f"{run.job_cpu:.2f}",
        f"{run.peak_mb:.0f}",
        f"{run.machine_percent:.0f} %",
    )
