"""How a part of a run starts its tasks."""

import asyncio
from collections.abc import Callable

Spawn = Callable[["asyncio._CoroutineLike[None]", str], "asyncio.Task[None]"]
"""Starts a task of the session's, under a name."""
