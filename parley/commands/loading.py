"""Imports as commands need them that run for long: without the garbage collector, and without what is never used."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Import in this block: the collector is off, and never looks at what was made here, as modules stay for good.

    Importing `parley.commands.api` and leaving the interpreter again took 2.1 s of CPU with the collector's looks, and
    1.3 s without (Python 3.11). SQLAlchemy comes without its ORM.
    """
    gc.disable()
    try:
        from store.database.without_orm import load_without_orm

        load_without_orm()
        yield
    finally:
        gc.freeze()
        gc.enable()
