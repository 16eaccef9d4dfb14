"""Whose SIGTERM it was."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

CHILD = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from worker.processes.signals import SIGNALS, watch_signals
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    import worker.processes.recorder_process

    async def main():
        stopped = asyncio.Event()
        def on_signal(number):
            print(number.name, flush=True)
            if number is signal.SIGTERM:
                stopped.set()
        def on_panic():
            print("panic", flush=True)
            os._exit(70)
        with watch_signals(on_signal, on_panic):
            print("ready", flush=True)
            if sys.argv[1] == "self":
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(stopped.wait(), 20)
    asyncio.run(main())
    """
)


def start(mode: str) -> "subprocess.Popen[str]":
    """A process that watches its signals, ready."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, mode], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def finish(child: "subprocess.Popen[str]") -> tuple[str, int]:
    """What it still printed, and its exit code. (`communicate` would lose what `readline` has buffered.)"""
    assert child.stdout is not None
    with child.stdout:
        printed = child.stdout.read()
    return printed, child.wait(30)


def test_a_sigterm_from_ourselves_is_a_panic() -> None:
    """As the native library sends it: no drain, an exit code of its own."""
    child = start("self")
    assert finish(child) == ("panic\n", 70)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGINT])
def test_a_signal_from_others_reaches_the_loop(number: signal.Signals) -> None:
    """In their order, then the stop."""
    child = start("other")
    os.kill(child.pid, number)
    time.sleep(0.2)  # two signals that are pending at once have no order
    os.kill(child.pid, signal.SIGTERM)
    assert finish(child) == (f"{number.name}\nSIGTERM\n", 0)


def test_a_process_that_was_stopped_and_goes_on_still_hears() -> None:
    """SIGSTOP and SIGCONT wake the watching thread with no signal at all; the next real one arrives."""
    child = start("others")
    for _ in range(3):
        child.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        child.send_signal(signal.SIGCONT)
        time.sleep(0.1)
    child.send_signal(signal.SIGTERM)
    assert finish(child) == ("SIGTERM\n", 0)
