"""Lines on their way to a reader that may stall or go away."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from parley.installation.log_writer import LogWriter

_SECONDS = 10.0


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of one."""
    read, write = os.pipe()
    try:
        yield read, write
    finally:
        for fd in (read, write):
            os.close(fd)


def _dropped(lines: int) -> bytes:
    return f"dropped {lines}\n".encode()


def test_lines_come_in_order() -> None:
    """None is lost, and none changes."""
    with pipe() as (read, write):
        writer = LogWriter(write, _dropped)
        lines = [f"line {number}\n".encode() for number in range(1000)]
        for line in lines:
            writer.write(line)
        writer.drain(_SECONDS)
        assert os.read(read, 1 << 16) == b"".join(lines)


def test_a_reader_that_stalls_costs_lines_and_no_time() -> None:
    """A pipe is full after 64 KiB, the queue after as much again; the rest is counted, and said when somebody reads."""
    with pipe() as (read, write):
        writer = LogWriter(write, _dropped, most_bytes=64 << 10)
        begun = time.monotonic()
        for _ in range(1000):
            writer.write(b"x" * 999 + b"\n")
        assert time.monotonic() - begun < 1

        text = b""
        while b"dropped" not in text:
            text += os.read(read, 1 << 16)
        writer.write(b"afterwards\n")
        writer.drain(_SECONDS)
        text += os.read(read, 1 << 16)

        said = [int(line.split()[1]) for line in text.splitlines() if line.startswith(b"dropped")]
        kept = sum(line.startswith(b"xxx") for line in text.splitlines())
        assert sum(said) == 1000 - kept
        assert 64 <= kept < 200
        assert text.endswith(b"afterwards\n")


def test_a_reader_that_goes_away_costs_lines_only() -> None:
    """Writing goes on in vain, and whoever waits for it at the end does not wait long."""
    read, write = os.pipe()
    os.close(read)
    writer = LogWriter(write, _dropped)
    for _ in range(100):
        writer.write(b"nobody hears this\n")
    begun = time.monotonic()
    writer.drain(_SECONDS)
    assert time.monotonic() - begun < 1
    assert writer.dropped_lines == 100
    os.close(write)


def test_a_fork_writes_its_own_lines() -> None:
    """A forked process has no thread of its parent's; what the parent had not written yet is the parent's."""
    program = (
        "import logging, os; from parley.installation.logging import configure_logging\n"
        "configure_logging('info', process='p'); log = logging.getLogger('t'); log.info('parent')\n"
        "child = os.fork(); log.info('after'); logging.shutdown()\n"
        "os.waitpid(child, 0) if child else os._exit(0)"
    )
    argv = [sys.executable, "-W", "ignore", "-c", program]  # Python 3.12 warns of forks beside threads
    done = subprocess.run(argv, stderr=subprocess.PIPE, timeout=60, check=True)
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert sorted(events) == ["after", "after", "parent"]


def test_a_fork_has_a_name_of_its_own() -> None:
    """In what our code logs, whoever has logged before, and in what libraries do; the parent keeps its name."""
    program = (
        "import logging, os, structlog\n"
        "from parley.installation.logging import configure_logging, rename_process\n"
        "configure_logging('info', process='p'); ours = structlog.get_logger('ours'); ours.info('parent')\n"
        "if child := os.fork():\n"
        "    os.waitpid(child, 0); ours.info('parent')\n"
        "else:\n"
        "    dropped = rename_process('c')\n"
        "    ours.info('child'); logging.getLogger('theirs').info('child', extra={'dropped': dropped()})\n"
        "    logging.shutdown(); os._exit(0)"
    )
    argv = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(argv, stderr=subprocess.PIPE, timeout=60, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert sorted((line["event"], line["process"]) for line in lines) == [("child", "c")] * 2 + [("parent", "p")] * 2
    assert [line["dropped"] for line in lines if line["logger"] == "theirs"] == [0]


@pytest.mark.parametrize("reads", [True, False])
def test_what_was_logged_last_is_there_when_the_process_ends(reads: bool) -> None:
    """And a reader that stalls delays the end by a moment only."""
    program = (
        "import logging; from parley.installation.logging import configure_logging\n"
        "configure_logging('info', process='p')\n"
        "for _ in range(2000): logging.getLogger('t').info('x' * 100)\n"
        "logging.getLogger('t').info('last'); print('done', flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if reads:
            lines = process.stderr.read().splitlines()
            assert json.loads(lines[-1])["event"] == "last"
            assert len(lines) == 2001
        assert process.stdout.readline() == b"done\n"
        assert process.wait(_SECONDS) == 0
