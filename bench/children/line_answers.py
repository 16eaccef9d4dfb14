"""The child's side of `line_child`. Importing this keeps stdout for answers: other output goes to stderr."""

import asyncio
import json
import os
import sys
from typing import Any

_answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


async def next_request() -> Any:
    """The next request, None when there are no more."""
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else None


def answer(value: Any) -> None:
    """Answer a request."""
    print(json.dumps(value), file=_answers, flush=True)
