"""Imports without the garbage collector, for commands that run for long."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Import in this block: the collector is off, and never looks at what was made here, as modules stay for good.

    Importing `parley.commands.api` and leaving the interpreter again took 2.1 s of CPU with the collector's looks, and
    1.3 s without (Python 3.11).
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
