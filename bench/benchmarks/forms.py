"""The recording in other forms: how many times faster than real time per CPU second, how large, in how much memory."""

import contextlib
import shutil
from pathlib import Path

import soxr

from audio.building.wav import open_wav
from audio.pcm import SAMPLE_RATE, Pcm
from bench.children.line_child import LineChild
from bench.measuring.machine import describe
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.rooms import child_argv
from parley.demo.script import SPOKEN_RATE, TALKERS, part_of
from sessions.audio_formats import MADE_FORMATS

_TIMEOUT_SECONDS = 1200.0
_SLOWEST_TIMES_REAL_TIME = 30


def bench_forms(options: Options) -> None:
    """Run the benchmark."""
    seconds = (6,) if options.quick else tuple(60 * minutes for minutes in options.minutes)
    folder = options.folder / "forms"
    folder.mkdir()
    try:
        found = {length: _encode_all(options.folder, folder / f"{length}.wav", length) for length in seconds}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_title("forms: speech, mono, from conversation.wav")
    print_note(describe())
    rows = [_row(form, length, found[length][form]) for length in seconds for form in MADE_FORMATS]
    print_table(("", "CPU s", "× real time per CPU s", "kbit/s", "peak MB", "above idle MB"), rows)
    for form in MADE_FORMATS:
        short, long = found[seconds[0]][form], found[seconds[-1]][form]
        speed = seconds[-1] / long["cpu"]
        print_goal(f"{form}, × real time per CPU second", speed, at_least=_SLOWEST_TIMES_REAL_TIME)
        growth = long["peak_mb"] / short["peak_mb"]
        print_goal(f"{form}, peak memory, {seconds[-1]} s / {seconds[0]} s", growth, at_most=1.1)


def _row(form: str, seconds: int, done: dict[str, float]) -> tuple[str, ...]:
    return (
        f"{form}, {seconds} s",
        f"{done['cpu']:.2f}",
        f"{seconds / done['cpu']:.0f}",
        f"{done['kbit']:.0f}",
        f"{done['peak_mb']:.0f}",
        f"{done['peak_mb'] - done['idle_mb']:.0f}",
    )


def _encode_all(folder: Path, wav: Path, seconds: int) -> dict[str, dict[str, float]]:
    _write_speech(wav, seconds)
    return {form: _encode(folder, wav, form, seconds) for form in MADE_FORMATS}


def _write_speech(path: Path, seconds: int) -> None:
    """The demo's conversation again and again."""
    spoken = sum(part_of(who) for who in TALKERS)
    conversation: Pcm = soxr.resample(spoken, SPOKEN_RATE, SAMPLE_RATE)
    length = seconds * SAMPLE_RATE
    written = 0
    with open_wav(path, length, 1) as wav:
        while written < length:
            piece = conversation[: length - written, None]
            wav.write(piece)
            written += len(piece)


def _encode(folder: Path, wav: Path, form: str, seconds: int) -> dict[str, float]:
    made = wav.with_suffix(f".{form}")
    with contextlib.ExitStack() as stack:
        child = stack.enter_context(LineChild(child_argv("encode_once"), folder / "encode_once.log"))
        idle = child.receive()
        done = child.ask({"wav": str(wav), "to": str(made), "format": form}, seconds=_TIMEOUT_SECONDS)
    kbit = made.stat().st_size * 8 / seconds / 1000
    made.unlink()
    return {**idle, **done, "kbit": kbit}
