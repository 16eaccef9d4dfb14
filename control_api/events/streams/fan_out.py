"""Telling thousands of streams beside requests: a few at a time, and most of the time is the requests'."""

import asyncio

SLICE = 32  # streams: some tenths of a millisecond, so that a request meets a short slice or none
_REST = 3.0  # times as long as a slice has taken
_LONGEST_REST_SECONDS = 0.05  # where others keep the process busy, that was not the slice


class FanOut:
    """The rests of all feeds of a process, one after the other in the order in which they were asked for.

    So an organization with thousands of streams keeps others' waiting for as long as a slice, no more.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def rest(self, since: float) -> float:
        """Let streams that were woken send, and requests go on for longer than that and the slice took together.

        Args:
            since: of the loop's time: when the slice began.

        Returns:
            When the next one begins.
        """
        loop = asyncio.get_running_loop()
        took = loop.time() - since
        async with self._turn:
            began = loop.time()
            await asyncio.sleep(0)  # who was woken writes
            await asyncio.sleep(0)  # and uvloop has sent it
            took += loop.time() - began
            await asyncio.sleep(min(_REST * took, _LONGEST_REST_SECONDS))
        return loop.time()
