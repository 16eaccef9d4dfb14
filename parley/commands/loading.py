"""How the commands that run for long load their modules."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Modules stay for good, so the collector never looks at what is made in this block.

    Importing `parley.commands.api` and leaving the interpreter again took 2.1 s of CPU with the collector's looks, and
    1.3 s without (Python 3.11).
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
