"""The cheap benchmarks run and print what they promise; their figures are nobody's business here."""

import re
from pathlib import Path

import pytest

from bench.benchmarks.events import bench_events
from bench.benchmarks.finalize import bench_finalize
from bench.benchmarks.forms import bench_forms
from bench.benchmarks.lists import bench_lists
from bench.benchmarks.messages import bench_messages
from bench.benchmarks.streams import bench_streams
from bench.benchmarks.transcribe import bench_transcribe
from bench.benchmarks.webhooks import bench_webhooks
from bench.options import Options
from bench.scenes.list_pages import pages
from bench.scenes.spoken_corpora import read_speech

_VERDICT = re.compile(r"^   (met    |NOT MET)  (.+): \S+ \(goal [≤≥] [\d.]+\)$", re.MULTILINE)


@pytest.fixture
def options(tmp_path: Path, postgres_url: str) -> Options:
    """The smallest run."""
    return Options(
        quick=True,
        folder=tmp_path,
        database_url=postgres_url,
        sessions=1,
        most_sessions=1,
        rounds=1,
        settle_seconds=0,
        window_seconds=1,
        creates=1,
        messages=2,
        minutes=(1, 2),
        rows=(100, 1000),
        pages=1,
        streams=3,
        stream_creates=2,
        endpoints=3,
        hooked=1,
        replayed=20,
        beat_sessions=(1, 2),
        heartbeat_seconds=1,
    )


def test_finalize_prints_speed_and_memory(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    """Both lengths are built, finalized by the real job, and judged."""
    bench_finalize(options)
    printed = capsys.readouterr().out
    names = re.findall(r"^   (build|finalize), (\d) minutes  ", printed, re.MULTILINE)
    assert names == [("build", "1"), ("finalize", "1"), ("build", "2"), ("finalize", "2")]
    assert [goal for _, goal in _VERDICT.findall(printed)] == [
        "finalize, 2 minutes, × real time",
        "peaks' and levels' share of the build, %",
        "peak memory, 2 minutes / 1 minutes",
    ]


def test_forms_prints_speed_size_and_memory(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each form; speed and growth of memory are judged."""
    bench_forms(options)
    printed = capsys.readouterr().out
    assert re.findall(r"^   (flac|opus|mp3), 6 s ", printed, re.MULTILINE) == ["flac", "opus", "mp3"]
    assert len(_VERDICT.findall(printed)) == 6


def test_lists_prints_every_page_at_both_sizes(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind of page is timed through the store and over HTTP, against a small and a larger table."""
    bench_lists(options)
    printed = capsys.readouterr().out
    rows = re.findall(r"^   (store|http): (.+?)((?: +\d+\.\d\d){5})$", printed, re.MULTILINE)
    by_store = [name for how, name, _ in rows if how == "store"]
    assert by_store == [page.name for page in pages()]
    assert [name for how, name, _ in rows if how == "http"] == [name for name in by_store if "API keys of" not in name]
    assert len(_VERDICT.findall(printed)) == 3


def test_messages_prints_each_way_into_the_room(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    """A real participant hears the bare send and both operations; what it costs is judged."""
    bench_messages(options)
    printed = capsys.readouterr().out
    assert [goal for _, goal in _VERDICT.findall(printed)] == [
        "POST /v1/sessions/{id}/messages, p95 ms",
        "POST /api/sessions/{id}/message, p95 ms",
    ]
    assert len(re.findall(r"^   \S.+?(?: +\d+\.\d){4}$", printed, re.MULTILINE)) == 5


def test_transcribe_prints_what_is_lost_around_the_engine(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    """The real job against each engine alone, on the same utterances; the hour is judged with an endpoint.

    The words that the embedded engine gets wrong are counted, and judged where read speech is installed.
    """
    bench_transcribe(options)
    printed = capsys.readouterr().out
    rows = re.findall(r"^   (moonshine|endpoint, .+?), (\S+) minutes +(\d+) ", printed, re.MULTILINE)
    assert [name for name, _, _ in rows] == ["moonshine", "endpoint, 60 × real time", "endpoint, answers at once"]
    assert all(int(voiced) >= 5 for _, _, voiced in rows), "somebody speaks"
    assert [goal for _, goal in _VERDICT.findall(printed)] == [
        "moonshine, 0.25 minutes: job / engine alone",
        "endpoint, 60 × real time, 0.5 minutes: job / engine alone",
        "an hour around an engine that answers at once, × real time",
        *(["wrong words of read speech, %"] if read_speech() else []),
    ]
    assert re.search(r"^   the demo, a synthetic voice +38 ", printed, re.MULTILINE)


@pytest.mark.long
def test_events_streams_and_webhooks_print_figures_and_are_judged(
    options: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with processes of its own."""
    for bench in (bench_events, bench_streams, bench_webhooks):
        bench(options)
    assert [goal for _, goal in _VERDICT.findall(capsys.readouterr().out)][1:] == [
        "commit → stream, p95 ms",
        "commit → list, p95 ms",
        "memory per stream, KB",
        "a create's p99 with / without streams, each of a session",
        "a create's p99 with / without streams, each of everything",
        "while one never answers, the others' p95 ms",
        "of a replay, events that came never or twice",
    ]
