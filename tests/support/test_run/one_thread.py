"""Numpy with one thread in this process: with more of them, a machine of few processors mostly waits."""

import os

from parley.servers.fork_server import ONE_THREAD


def load_numpy() -> None:
    """Now, before anything else does. Processes that are started from this one are told nothing."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    import numpy  # noqa: F401 - reads them once

    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
