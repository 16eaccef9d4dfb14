"""The type of the function by which parts of a run start tasks in the session's task group."""

import asyncio
from collections.abc import Callable

Spawn = Callable[["asyncio._CoroutineLike[None]", str], "asyncio.Task[None]"]
"""Takes the coroutine and the task's name."""
