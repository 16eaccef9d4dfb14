"""A way to a LiveKit server that is far away: each byte of signaling takes so long in each direction."""

import asyncio

from tests.support.network.media_relay import LiteServer, MediaRelay


class FarRelay(MediaRelay):
    """For clients that connect to `url`. Media is not delayed.

    Args:
        seconds: how long signaling takes, each way.
    """

    def __init__(self, server: LiteServer, seconds: float) -> None:
        super().__init__(server)
        self._seconds = seconds

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, rename: bool) -> None:
        late = asyncio.StreamReader()
        chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def take() -> None:
            chunk = b"-"
            while chunk:
                chunk = await reader.read(65536)
                chunks.put_nowait((loop.time() + self._seconds, chunk))

        async def give() -> None:
            while True:
                due, chunk = await chunks.get()
                await asyncio.sleep(max(due - loop.time(), 0))
                if not chunk:
                    return late.feed_eof()
                late.feed_data(chunk)

        async with asyncio.TaskGroup() as group:
            group.create_task(take())
            group.create_task(give())
            group.create_task(super()._pass_on(late, writer, rename=rename))
