"""The check of what tests leave open, on leaks that are planted here."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.test_run import left_open
from tests.support.test_run.left_open import LeftOpenError, Openings, collect_garbage


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Openings]:
    """One that watches, and doesn't wait for what nobody is going to close."""
    monkeypatch.setattr(left_open, "CLOSING_SECONDS", 0.05)
    openings = Openings()
    openings.start()
    yield openings
    openings.stop()


def test_a_socket_is_told_by_who_opened_it(openings: Openings) -> None:
    """Not by who comes next."""
    with openings.owned_by("the careless one"):
        left = socket.socket()
    with openings.owned_by("the next one"):
        socket.socket().close()
    openings.check("the next one")
    with left, pytest.raises(LeftOpenError, match=r"^the careless one left open: <socket.socket fd=\d+"):
        openings.check("the careless one")
    openings.check("the careless one")


def test_the_servers_side_of_a_connection_is_told(openings: Openings) -> None:
    """Half closed by its client, which a server of streams does not close by itself."""
    accepted: list[asyncio.BaseTransport] = []

    class Quiet(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted.append(transport)

        def eof_received(self) -> bool:
            return True

    async def leave() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Quiet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
        while not accepted:  # noqa: ASYNC110 a turn or two
            await asyncio.sleep(0)
        client.close()
        server.close()

    with openings.owned_by("a server"):
        asyncio.run(leave())
    with pytest.raises(LeftOpenError, match=r"^a server left open: <socket.socket [^;]*>$"):
        openings.check("a server")
    transport: Any = accepted.pop()
    transport._sock.close()
    transport._sock = None


def test_loops_and_processes_are_told(openings: Openings) -> None:
    """A loop with what it is made of."""
    with openings.owned_by("somebody"):
        loop = asyncio.new_event_loop()
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with pytest.raises(LeftOpenError) as left:
        openings.check("somebody")
    loop.close()
    process.communicate()
    text = str(left.value)
    assert (text.count("EventLoop"), text.count("<Popen"), text.count("<socket.socket")) == (1, 1, 2)


def test_what_closes_in_a_moment_is_not_left_open(openings: Openings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may take a while to end."""
    monkeypatch.setattr(left_open, "CLOSING_SECONDS", 30.0)
    with openings.owned_by("somebody"):
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"])
    openings.check("somebody")
    assert process.returncode == 0


def test_garbage_with_an_open_file_in_it_is_told(tmp_path: Path) -> None:
    """In a cycle, so that only the collector finds it."""
    cycle: list[Any] = [(tmp_path / "forgotten").open("w")]
    cycle.append(cycle)
    del cycle
    with pytest.raises(LeftOpenError, match=r"^tests/x\.py left open: ResourceWarning.*forgotten"):
        collect_garbage("tests/x.py")
    collect_garbage("tests/x.py")


def test_the_classes_are_put_back() -> None:
    """After the run nothing of the check is left in them."""
    before = socket.socket.__init__
    openings = Openings()
    openings.start()
    assert socket.socket.__init__ is not before
    openings.stop()
    assert socket.socket.__init__ is before
