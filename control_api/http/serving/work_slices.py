"""Long work of the event loop beside requests: a slice at a time, and most of the time is the requests'."""

import asyncio

_REST = 3.0  # times as long as a slice has taken
_LONGEST_REST_SECONDS = 0.05  # where others keep the process busy, that was not the slice


class WorkSlices:
    """All who do such work rest between their slices, one after the other in the order in which they ask for it.

    A slice is to take a millisecond or less: a request waits for as long as one or two, however many do such work.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def rest(self, since: float) -> float:
        """Let be sent what the slice has made, and requests go on for longer than that and the slice took together.

        Args:
            since: of the loop's time: when the slice began.

        Returns:
            When the next one begins.
        """
        loop = asyncio.get_running_loop()
        took = loop.time() - since
        async with self._turn:
            began = loop.time()
            await asyncio.sleep(0)  # who was woken by the slice writes
            await asyncio.sleep(0)  # and uvloop has sent it
            took += loop.time() - began
            await asyncio.sleep(min(_REST * took, _LONGEST_REST_SECONDS))
        return loop.time()
