"""Waking thousands of streams beside requests: a few at a time, and most of the time is the requests'."""

import asyncio

# A slice takes about a millisecond, and a request meets none or one. What a stream costs is the system's part mostly.
SLICE = 16
_REST = 3.0  # times as long as a slice has taken
_LONGEST_REST_SECONDS = 0.05  # where others keep the process busy, that was not the slice


class FanOut:
    """The turns of all feeds of a process: slices come one after the other, in the order in which they were asked for.

    So an organization with thousands of streams keeps others' waiting for as long as a slice, no more.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def rest(self) -> None:
        """Let the streams send that were just woken, at most `SLICE` of them, and requests go on for much longer."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            began = loop.time()
            await asyncio.sleep(0)  # they write
            await asyncio.sleep(0)  # and uvloop has sent it
            await asyncio.sleep(min(_REST * (loop.time() - began), _LONGEST_REST_SECONDS))
