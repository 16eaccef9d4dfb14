"""Waiting for something by asking again and again."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")
_POLL_SECONDS = 0.05


def until(
    probe: Callable[[], Answer], *, what: str, seconds: float = 60, poll_seconds: float = _POLL_SECONDS
) -> Answer:
    """The first truthy answer of `probe`. Raises TimeoutError naming `what`."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(poll_seconds)
    return answer
