"""`python -m bench [NAME …] [--quick]`: runs the benchmarks of these names, all by default, and prints tables."""

import argparse
import contextlib
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.measuring.machine import describe
from bench.measuring.table import print_note, print_title
from bench.options import Options
from parley.servers.child_process import spawn
from parley.servers.local_stack import interrupt_on_sigterm
from sessions.settings import Settings

# Cheap ones first. Each is a module with a function bench_NAME that takes the options.
BENCHMARKS = {
    "finalize": "how fast one hour of two tracks becomes a file, and in how much memory",
    "forms": "how fast a recording becomes FLAC, Opus and MP3, and in how much memory",
    "transcribe": "how much time is lost around the speech engine, and how many words it gets wrong",
    "lists": "pages of lists and histories at 1,000 and 1,000,000 rows",
    "events": "from an event's commit until it can be read, and pages of the log at 1,000 and 1,000,000 rows",
    "streams": "2,000 streams of events on one API process: memory, and what a create costs meanwhile",
    "webhooks": "from an event's commit to the receivers of webhooks, while one of 50 never answers; a replay",
    "create": "from creating a session to running, beyond a bare Room.connect",
    "messages": "from posting a message to the room having it",
    "beats": "beat statements per second at 1 and at 25 sessions",
    "idle": "memory of a worker that records nothing",
    "live": "from spoken to logged, and what live transcripts cost the recorders",
    "recording": "CPU and memory per session against the SDK's floor and livekit-agents",
}


def main() -> None:
    arguments = _parser().parse_args()
    names = arguments.names or list(BENCHMARKS)
    interrupt_on_sigterm()
    if arguments.quick and len(names) > 1:
        sys.exit(_all_at_once(names))
    with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=arguments.folder) as folder:
        options = _options(arguments, Path(folder))
        print_title("Parley's benchmarks" + (" (smoke run: the figures mean nothing)" if options.quick else ""))
        print_note(describe())
        for name in names:
            started = time.monotonic()
            module = importlib.import_module(f"bench.benchmarks.{name}")
            bench: Callable[[Options], None] = getattr(module, f"bench_{name}")
            bench(options)
            print_note(f"({name} took {time.monotonic() - started:.0f} s)")


def _all_at_once(names: list[str]) -> int:
    """A smoke run's figures mean nothing, so its benchmarks may disturb each other; the worst exit code."""
    options = [word for word in sys.argv[1:] if word not in names]
    worst = 0
    with contextlib.ExitStack() as stack:
        runs = []
        for name in names:
            output = stack.enter_context(tempfile.TemporaryFile())
            argv = [sys.executable, "-m", "bench", name, *options]
            process = spawn(argv, death_signal=signal.SIGTERM, stdout=output, stderr=subprocess.STDOUT)
            stack.enter_context(process)  # waits for it
            stack.callback(process.terminate)  # before that: we may be leaving early
            runs.append((process, output))
        for process, output in runs:
            worst = max(worst, abs(process.wait()))
            output.seek(0)
            print(output.read().decode(), end="", flush=True)
    return worst


def _parser() -> argparse.ArgumentParser:
    summary = "\n".join(f"  {name:<12}{text}" for name, text in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"Prints tables of figures and whether the goals are met.\n\n{summary}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help="default: all")
    parser.add_argument("--quick", action="store_true", help="a smoke run of less than a minute")
    parser.add_argument("--folder", type=Path, default=None, help="parent of the temporary folder")
    parser.add_argument(
        "--database-url",
        default=os.environ.get("PARLEY_TEST_DATABASE_URL"),
        help="a superuser's database on a PostgreSQL to use (default: PARLEY_TEST_DATABASE_URL, else an embedded one)",
    )
    parser.add_argument("--sessions", type=int, default=None, help="recording: sessions of the first table (10)")
    parser.add_argument("--most-sessions", type=int, default=200, help="recording: upper bound of the second table")
    parser.add_argument("--rounds", type=int, default=None, help="recording: measurements of each contender (5)")
    parser.add_argument("--window", type=float, default=None, metavar="SECONDS", help="recording: window of one (20)")
    parser.add_argument("--rows", type=int, default=None, help="lists: rows of the large table (1000000)")
    parser.add_argument("--pages", type=int, default=None, help="lists: requests per kind of page (100)")
    return parser


def _name(text: str) -> str:
    if text not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no benchmark {text}; there are {', '.join(BENCHMARKS)}")
    return text


def _options(arguments: argparse.Namespace, folder: Path) -> Options:
    quick: bool = arguments.quick
    return Options(
        quick=quick,
        folder=folder,
        database_url=arguments.database_url,
        sessions=arguments.sessions or (2 if quick else 10),
        most_sessions=arguments.most_sessions,
        rounds=arguments.rounds or (1 if quick else 5),
        settle_seconds=0.5 if quick else 5,
        window_seconds=arguments.window or (2 if quick else 20),
        creates=3 if quick else 60,
        messages=3 if quick else 200,
        minutes=(1, 2) if quick else (6, 60),
        rows=(100, arguments.rows or 1000) if quick else (1000, arguments.rows or 1_000_000),
        pages=arguments.pages or (3 if quick else 100),
        streams=20 if quick else 2000,
        stream_creates=5 if quick else 300,
        endpoints=4 if quick else 50,
        hooked=2 if quick else 20,
        replayed=50 if quick else 10_000,
        beat_sessions=(1, 3) if quick else (1, 25),
        heartbeat_seconds=1 if quick else Settings.model_fields["heartbeat_seconds"].default,
    )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
