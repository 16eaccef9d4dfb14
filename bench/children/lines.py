"""The child's side of `bench.line_child`."""

import asyncio
import json
import sys
from typing import Any


async def next_request() -> Any:
    """The next request, None when there are no more."""
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else None


def answer(value: Any) -> None:
    """Answer a request."""
    print(json.dumps(value), flush=True)
