"""The guard between LiveKit's SDK and servers on loopback: one address is the internet, the others are inside."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from typing import Any

import pytest

from parley.servers.livekit_server import LiveKitServer
from sessions.destinations.room_url import AllowedAddresses
from tests.support.network.hostile_room import HostileRoom, flooding, leading_to, listener, listeners, relayed, silent
from tests.support.network.sdk_joins import (
    sdk_joins,
    seconds_of_an_abandoned_join,
    seconds_of_an_abandoned_join_beside_rooms,
)
from tests.support.talkers.beeps import mint_token
from worker.guard.addresses import system_resolver
from worker.guard.guard_line import GuardLine, target_of
from worker.guard.proxy import GuardProxy, GuardRules
from worker.guard.refusals import Refusal
from worker.guard.upstream import Upstream
from worker.room.join_answer import join_error

OUTSIDE = "127.0.0.2"
ONE_OUTSIDE = AllowedAddresses(networks=(ip_network(f"{OUTSIDE}/32"),))


@asynccontextmanager
async def guard(
    allowed: AllowedAddresses = ONE_OUTSIDE,
    *,
    resolve: Callable[[str, int], Awaitable[list[Any]]] = system_resolver,
    burst_bytes: int = 100_000,
    silence_seconds: float = 30,
    upstream: Upstream | None = None,
) -> AsyncIterator[tuple[GuardProxy, int]]:
    """A running proxy and its port."""
    rules = GuardRules(allowed, burst_bytes, 1000, 30, silence_seconds)
    proxy = GuardProxy(rules, resolve=resolve, upstream=lambda host, tunnel: upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        yield proxy, server.sockets[0].getsockname()[1]


async def ask(port: int, request: str) -> bytes:
    """The whole answer of the proxy to a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    async with asyncio.timeout(10):
        answer = await reader.read(4096)
    writer.close()
    return answer


def port_of(room: HostileRoom) -> int:
    return int(room.url.rpartition(":")[2])


_INSIDE = [
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "2130706433",
    "017700000001",
    "0.0.0.0",
    "0",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    f"[::ffff:{OUTSIDE}]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "10.0.0.5",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
]


@pytest.mark.parametrize("method", ["CONNECT", "GET"])
async def test_no_spelling_of_an_inner_address_is_dialed(method: str) -> None:
    """Neither by a tunnel nor by a plain request."""
    async with listeners("127.0.0.1", "::1") as [inner, inner6], guard() as (_, port):
        number = port_of(inner)
        for host in _INSIDE:
            what = f"{host}:{number}" if method == "CONNECT" else f"http://{host}:{number}/"
            answer = await ask(port, f"{method} {what} HTTP/1.1\r\n\r\n")
            assert answer.split(b" ")[1] in (b"403", b"400"), (host, answer)
            assert b"secret" not in answer
        assert (inner.connections, inner6.connections) == (0, 0)


async def test_a_name_that_leads_inside_the_second_time_is_judged_the_second_time() -> None:
    """It is resolved once for each connection, and what was judged is what is dialed."""
    asked = 0

    async def rebinding(host: str, port: int) -> list[Any]:
        nonlocal asked
        asked += 1
        assert host == "rooms.example"
        return await system_resolver(OUTSIDE if asked == 1 else "127.0.0.1", port)

    async with listeners(OUTSIDE, "127.0.0.1") as [outer, inner]:
        async with guard(resolve=rebinding) as (_, port):
            target = f"http://rooms.example:{port_of(outer)}/"
            assert b"secret" in await ask(port, f"GET {target} HTTP/1.1\r\n\r\n")
            assert Refusal.NOT_ALLOWED.encode() in await ask(port, f"GET {target} HTTP/1.1\r\n\r\n")
        assert (outer.connections, inner.connections, asked) == (1, 0, 2)


async def test_a_name_with_one_inner_address_is_not_dialed_at_all() -> None:
    """Whoever mixes them means harm."""

    async def both(_: str, port: int) -> list[Any]:
        return [*await system_resolver(OUTSIDE, port), *await system_resolver("127.0.0.1", port)]

    async with listener(OUTSIDE) as outer, guard(resolve=both) as (_, port):
        answer = await ask(port, f"CONNECT rooms.example:{port_of(outer)} HTTP/1.1\r\n\r\n")
        assert Refusal.NOT_ALLOWED.encode() in answer
        assert outer.connections == 0


async def test_the_sdk_reaches_nothing_inside_by_redirects_or_by_itself() -> None:
    """It does follow them, and asks by plain HTTP too when a join fails; all of that passes the guard."""
    async with listeners("127.0.0.1", "::1") as [inner, inner6], guard() as (_, port):
        number = port_of(inner)
        hosts = iter(["127.0.0.1", "localhost", "[::1]", "localhost.", "0x7f.1", "[::ffff:127.0.0.1]"] * 9)

        def inside() -> str:
            return f"http://{next(hosts)}:{number}/"

        async with leading_to(OUTSIDE, 302, inside) as found, leading_to(OUTSIDE, 307, inside) as kept:
            said = await sdk_joins(
                port, found.url, kept.url, inner.url, f"ws://localhost.:{number}", f"wss://[::1]:{number}"
            )
        assert (inner.connections, inner6.connections) == (0, 0)
        assert found.connections > 0
        assert kept.connections > 0
        assert not [text for text in said if "secret" in text or text == "joined"]
        codes = [join_error(text).code for text in said[2:]]
        assert {codes[0], codes[2]} == {"transport.url_not_allowed"}
        assert codes[1] in ("transport.url_not_allowed", "room.name_unresolved"), "some systems know no `localhost.`"


async def test_a_second_request_never_reaches_the_first_ones_server() -> None:
    """A kept connection may be used for another host, with what is nobody's business here."""
    heard = b""

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n")
        while data := await reader.read(4096):
            heard += data
        writer.close()

    server = await asyncio.start_server(keep, OUTSIDE, 0)
    async with server, guard() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = server.sockets[0].getsockname()[1]
        writer.write(f"GET http://{OUTSIDE}:{number}/a HTTP/1.1\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"GET http://other.example/b HTTP/1.1\r\nAuthorization: Bearer theirs\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
    assert heard.startswith(b"GET /a HTTP/1.1")
    assert b"theirs" not in heard


async def test_who_floods_a_join_is_cut_off_and_not_dialed_again() -> None:
    """The SDK makes four attempts; the first one reads so much, and the others nothing."""
    async with flooding(OUTSIDE) as room, guard() as (proxy, port):
        [said] = await sdk_joins(port, room.url)
        assert join_error(said).code == "room.flood"
        assert room.connections == 1
        assert proxy.open_connections == 0


async def test_a_client_that_is_silent_for_as_long_as_a_join_may_last_is_cut_off() -> None:
    """An abandoned join holds nothing for longer."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    quiet = await asyncio.start_server(hear, OUTSIDE, 0)
    async with quiet, guard(silence_seconds=0.3) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"CONNECT {OUTSIDE}:{quiet.sockets[0].getsockname()[1]} HTTP/1.1\r\n\r\n".encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 OK\r\n\r\n"
        for _ in range(3):
            writer.write(b"a sign of life")
            await asyncio.sleep(0.2)
        async with asyncio.timeout(2):
            assert await reader.read() == b""
        writer.close()


async def test_what_nobody_listens_at_is_refused_by_its_word() -> None:
    """So that a customer reads `room.refused`, as without the guard."""
    async with listener(OUTSIDE) as gone:
        number = port_of(gone)
    async with guard() as (_, port):
        assert Refusal.REFUSED.encode() in await ask(port, f"CONNECT {OUTSIDE}:{number} HTTP/1.1\r\n\r\n")
        [said] = await sdk_joins(port, f"ws://{OUTSIDE}:{number}")
        assert join_error(said).code == "room.refused"


async def test_who_asks_for_it_is_cut_off_from_a_server_and_nobody_else() -> None:
    """What is open ends, and attempts are refused for some seconds; others go on, to there and elsewhere."""
    async with silent(OUTSIDE) as room, listener(OUTSIDE) as elsewhere, guard() as (proxy, port):
        writers = list[asyncio.StreamWriter]()

        async def opened(owner: str, to: HostileRoom = room) -> tuple[asyncio.StreamReader, bytes]:
            credentials = base64.b64encode(f"{owner}:-".encode()).decode()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            host = target_of(to.url)
            writer.write(f"CONNECT {host} HTTP/1.1\r\nProxy-Authorization: Basic {credentials}\r\n\r\n".encode())
            async with asyncio.timeout(10):
                return reader, await reader.readuntil(b"\r\n\r\n")

        (one, said_to_one), (two, said_to_two) = await opened("one"), await opened("two")
        assert (b" 200 " in said_to_one, b" 200 " in said_to_two, proxy.open_connections) == (True, True, 2)
        await GuardLine(port, "one").cut(target_of(room.url))
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                assert await one.read() == b""
        assert Refusal.CUT_OFF.encode() in (await opened("one"))[1]
        assert not join_error(f"... {Refusal.CUT_OFF} ...").final
        assert b" 200 " in (await opened("two"))[1]
        assert b" 200 " in (await opened("one", elsewhere))[1]
        assert not two.at_eof()
        for writer in writers:
            writer.close()
        async with asyncio.timeout(10):
            while proxy.open_connections:  # noqa: ASYNC110 it has no event
                await asyncio.sleep(0.01)


async def test_an_abandoned_join_ends_soon() -> None:
    """By itself a join of a silent server goes on for 20 s and more: four attempts of 5 s."""
    async with silent(OUTSIDE) as room, guard() as (_, port):
        assert await seconds_of_an_abandoned_join(port, room.url) < 12
        assert 1 <= room.connections <= 2


async def test_an_abandoned_join_ends_soon_also_beside_rooms_of_the_same_server(livekit: LiveKitServer) -> None:
    """What only it can have opened is cut off, attempt after attempt; who is in a room there is left in peace, and so
    is who joins meanwhile."""
    tokens = [mint_token(livekit.api_key, livekit.api_secret, f"beside-{one}", "worker") for one in range(3)]
    async with relayed(OUTSIDE, int(livekit.url.rpartition(":")[2])) as room, guard() as (_, port):
        room.unanswered = tokens[1]
        seconds, in_peace = await seconds_of_an_abandoned_join_beside_rooms(port, room.url, tokens)
    assert in_peace
    assert seconds < 15, "by itself it lasts four times 5 s"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (b"HTTP/1.1 200 Connection established\r\n\r\n", b"HTTP/1.1 200"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"HTTP/1.1 502"),
        (b"", b"HTTP/1.1 502"),
    ],
    ids=["opens", "refuses", "hangs up"],
)
async def test_the_installations_own_proxy_is_asked_for_a_tunnel(told: bytes, expected: bytes) -> None:
    """With its credentials, for the name; a connection that comes to nothing is closed."""
    asked: list[bytes] = []
    closed = asyncio.Event()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(told)
        if told:
            await reader.read()
        closed.set()
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as outer:
        port = outer.sockets[0].getsockname()[1]
        async with guard(upstream=Upstream("127.0.0.1", port, "Proxy-Authorization: Basic eDp5\r\n")) as (_, own):
            answer = await ask(own, f"CONNECT {OUTSIDE}:443 HTTP/1.1\r\n\r\n")
            async with asyncio.timeout(5):
                await closed.wait()
    assert answer.startswith(expected)
    assert asked == [
        f"CONNECT {OUTSIDE}:443 HTTP/1.1\r\nHost: {OUTSIDE}:443\r\nProxy-Authorization: Basic eDp5\r\n\r\n".encode()
    ]
