"""Whatever a receiver does, an attempt ends in time, and says what went wrong."""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.running.webhooks import ANYWHERE
from tests.support.services.fake_sts import certificates
from worker.webhooks.sender import KEPT_BYTES, READ_BYTES, Answer, Sender

SECONDS = 0.6
LATEST_SECONDS = 5.0  # test machines are busy

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(behave: Behave, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that does this once it has read a request's head."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await behave(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # it was hung up on
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'http' if context is None else 'https'}://127.0.0.1:{port}/hook"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks) if tasks else None
        await server.wait_closed()


async def post(url: str, seconds: float = SECONDS) -> Answer:
    """One attempt, which ends in time."""
    async with asyncio.timeout(LATEST_SECONDS), Sender.open(ANYWHERE, seconds=seconds) as sender:
        return await sender.post(url, b'{"a": 1}', {"webhook-id": "evt_1"})


async def test_one_that_hangs() -> None:
    """Nothing comes."""

    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serving(hang) as url:
        assert await post(url) == Answer(error="timeout")


async def test_one_that_drips() -> None:
    """A byte of the head now and then does not keep the attempt alive."""

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.1)

    async with serving(drip) as url:
        assert await post(url) == Answer(error="timeout")


async def test_one_whose_answer_drips() -> None:
    """The status has come, and decides; the body is read as far as there is time."""

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await asyncio.sleep(0.1)

    async with serving(drip) as url:
        answer = await post(url)
    assert (answer.status, answer.error) == (200, None)
    assert set(answer.text or "") <= {"x"}


async def test_one_that_never_stops_talking() -> None:
    """16 KiB are read, and the first KiB is kept."""
    sent = 0

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 10000000000\r\n\r\n")
        while True:
            writer.write(b"y" * 65536)
            await writer.drain()
            sent += 65536

    async with serving(flood) as url:
        answer = await post(url, seconds=30)
    assert (answer.status, answer.error, answer.text) == (500, "status", "y" * KEPT_BYTES)
    assert sent < 512 * READ_BYTES  # what the kernel's buffers took


async def test_one_that_sends_a_bomb() -> None:
    """Nothing is unpacked, whatever the answer says of itself."""
    bomb = zlib.compress(b"\0" * 5_000_000)

    async def explode(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: {len(bomb)}\r\n\r\n"
        writer.write(head.encode() + bomb)
        await writer.drain()
        await asyncio.sleep(60)

    async with serving(explode) as url:
        answer = await post(url)
    assert (answer.status, answer.error) == (200, None)
    assert len(answer.text or "") <= KEPT_BYTES
    assert "\0" not in (answer.text or "")


async def test_one_that_sends_somewhere_else() -> None:
    """Redirects are answers like others."""
    followed: list[bytes] = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        followed.append(await reader.read(100))
        writer.write(b"HTTP/1.1 307 There\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(redirect) as url:
        answer = await post(url)
    assert (answer.status, answer.error, len(followed)) == (307, "redirect", 1)


async def test_one_that_closes_early() -> None:
    """Before it has said anything."""

    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with serving(close) as url:
        assert await post(url) == Answer(error="closed_early")


async def test_one_that_speaks_another_language() -> None:
    """What isn't HTTP."""

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
        await writer.drain()

    async with serving(babble) as url:
        assert (await post(url)).error == "answer_malformed"


async def test_one_with_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """And one that speaks no TLS at all."""
    _, chain = certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)

    async def ignore(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(ignore, context) as url:
        assert await post(url, seconds=5) == Answer(error="tls")


async def test_one_that_is_not_there() -> None:
    """Nobody listens, and no such name."""
    async with serving(lambda _reader, _writer: asyncio.sleep(0)) as url:
        pass
    assert await post(url) == Answer(error="connection_refused")
    assert (await post("http://does-not-exist.invalid/", seconds=4)).error in ("name_unresolved", "timeout")


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
async def test_one_that_refuses(status: int) -> None:
    """Only 2xx is success; 410 says that there will never be one."""

    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno".encode())
        await writer.drain()

    async with serving(refuse) as url:
        answer = await post(url)
    assert answer == Answer(status, "status", "no")
    assert answer.gone == (status == 410)
