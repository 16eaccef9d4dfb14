"""The sign of life that two processes share."""

import signal
import subprocess
import sys
import time

from worker.vitals.pulse import Pulse

_PROGRAM = """
import asyncio, sys
from worker.vitals.pulse import Pulse
with Pulse(int(sys.argv[1])) as pulse:
    asyncio.run(pulse.keep(1.0))
"""


def _begin(pulse: Pulse) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(pulse.fd)], pass_fds=[pulse.fd])
    deadline = time.monotonic() + 10
    while pulse.last_ns is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


def test_it_beats_while_the_process_runs_and_not_while_it_is_stopped() -> None:
    """Seen from the other process; a short stop is survived."""
    with Pulse.create() as pulse:
        assert pulse.last_ns is None
        process = _begin(pulse)
        first = pulse.last_ns
        time.sleep(0.3)
        assert first is not None
        assert pulse.last_ns is not None
        assert pulse.last_ns > first
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        stopped = pulse.last_ns
        time.sleep(0.3)
        assert pulse.last_ns == stopped
        process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        assert process.poll() is None
        process.kill()
        process.wait()


def test_a_process_that_was_stopped_for_too_long_ends_when_it_wakes() -> None:
    """As if it had been killed meanwhile."""
    with Pulse.create() as pulse:
        process = _begin(pulse)
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.3)
        process.send_signal(signal.SIGCONT)
        assert process.wait(5) == -signal.SIGKILL
