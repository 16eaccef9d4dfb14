"""Readers of streams of events, which throw away what they read.

Asked {"url", "key", "paths"} it opens a stream per path and answers {"open": how many} when all have begun. Every other
request is answered {"open": …, "bytes": what all of them have read so far}.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import uvloop

from bench.children.line_answers import answer, next_request

_AT_ONCE = 50
_PATIENCE = 30  # a busy database answers 503, and a second later no more
_HEAD = "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nAccept: text/event-stream\r\n\r\n"


class Readers:
    """All of them."""

    def __init__(self) -> None:
        self.open = 0
        self.bytes = 0

    async def read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One stream, to its end."""
        self.open += 1
        while data := await reader.read(1 << 16):
            self.bytes += len(data)
        self.open -= 1
        writer.close()


async def _begun(where: dict[str, Any], path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(where["url"])
    for _ in range(_PATIENCE):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(_HEAD.format(path=path, host=parts.netloc, key=where["key"]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 200 "):
            return reader, writer
        writer.close()
        if not head.startswith(b"HTTP/1.1 503 "):
            break
        await asyncio.sleep(1)
    raise RuntimeError(f"{path}: {head[:200]!r}")


async def main() -> None:
    where = await next_request()
    readers = Readers()
    async with asyncio.TaskGroup() as group:
        tasks = []
        for first in range(0, len(where["paths"]), _AT_ONCE):
            some = [group.create_task(_begun(where, path)) for path in where["paths"][first : first + _AT_ONCE]]
            for one in some:
                tasks.append(group.create_task(readers.read(*await one)))
        answer({"open": len(tasks)})
        while await next_request() is not None:
            answer({"open": readers.open, "bytes": readers.bytes})
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    uvloop.run(main())
