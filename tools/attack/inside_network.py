"""Dials the inside of a network in every way, by both guards, in network and mount namespaces of its own (needs root).

Every address is this host's here, so whatever is dialed gets an answer, and the kernel counts what is sent: each packet
to a room's or hook's port, to the one public address or to any other. Prints a JSON object: attempts and packets per
guard, and the packets of a dial past them, which shows that they are counted.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sessions.destinations.webhook_url import UrlRules
from tests.support.network.hostile_room import leading_to
from tests.support.network.sdk_joins import sdk_joins
from tools.attack.name_server import HostileNames
from worker.webhooks.sender import Sender

PORT = 7880
PUBLIC, PUBLIC6 = "93.184.216.34", "2606:2800:220:1::34"
_LITERALS = (
    *("127.0.0.1", "127.1", "127.0.1", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "0177.0.0.1", "017700000001"),
    *("2130706433", "0.0.0.0", "0", "127.0.0.1.", "localhost", "localhost.", "LOCALHOST", "a.localhost"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]"),
    *("[fe80::1]", "[fe80::1%25lo]", "[fd00::5]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[3fff::1]", "[2001:db8::1]"),
    *("10.0.0.5", "10.0.5", "167772165", "0xa.0.0.5", "012.0.0.5", "[::ffff:10.0.0.5]", "[2002:a00:5::]"),
    *("172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0xa9fea9fe", "2852039166", "169.254.43518"),
    *("[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1"),
)
_NAMES: dict[str, list[list[str]]] = {
    "inner.attack.example": [["10.0.0.5"]],
    "loop.attack.example": [["127.0.0.1"]],
    "metadata.attack.example": [["169.254.169.254"]],
    "both.attack.example": [[PUBLIC, "127.0.0.1"]],
    "six.attack.example": [["::1"]],
    "mapped.attack.example": [["::ffff:127.0.0.1"]],
    "tunneled.attack.example": [["2002:7f00:1::"]],
    "translated.attack.example": [["64:ff9b::7f00:1"]],
    "unique.attack.example": [[PUBLIC, "fd00::5"]],
    "rebinding.attack.example": [[PUBLIC], ["127.0.0.1"]],
    "late.attack.example": [[PUBLIC], [PUBLIC], ["10.0.0.5"]],
}
_REBINDS = 8
_GONE_SECONDS = 0.5
_JOIN_SECONDS = 90.0
_REDIRECTS = (301, 302, 303, 307, 308)
_INSIDE = ("127.0.0.1", "10.0.0.5", "169.254.169.254", "[::1]")
_RULES = f"""
table inet attack {{
  counter public {{
  }}
  counter denied {{
  }}
  chain output {{
    type filter hook output priority 0; policy accept;
    meta l4proto {{ tcp, udp }} th dport {PORT} ip daddr {PUBLIC} counter name "public" accept
    meta l4proto {{ tcp, udp }} th dport {PORT} ip6 daddr {PUBLIC6} counter name "public" accept
    meta l4proto {{ tcp, udp }} th dport {PORT} counter name "denied"
  }}
}}
"""


async def main(*, joining: bool) -> dict[str, int]:
    """What was tried, and what was sent; `joining`: by joins of LiveKit's SDK, too, which take seconds each."""
    _make_network()
    loop = asyncio.get_running_loop()
    names, _ = await loop.create_datagram_endpoint(lambda: HostileNames(_NAMES), local_addr=("127.0.0.1", 53))
    answering = await asyncio.start_server(_answer, None, PORT)
    async with answering, _guard() as guard:
        await _dial_past_the_guards()
        found = {"seen": _packets("denied")}
        _reset()
        found["guard_attempts"] = await _past_the_guard(guard) + (await _join(guard) if joining else 0)
        found["guard_packets"] = _packets("denied")
        found["public"] = _packets("public")
        _reset()
        found["hook_attempts"] = await _as_webhooks()
        found["hook_packets"] = _packets("denied")
        found["hook_public"] = _packets("public")
    names.close()
    return found


def _make_network() -> None:
    for command in (
        "ip link set lo up",
        f"ip address add {PUBLIC}/32 dev lo",
        f"ip -6 address add {PUBLIC6}/128 dev lo nodad",
        "ip route add local 0.0.0.0/0 dev lo",
        "ip -6 route add local ::/0 dev lo",
    ):
        subprocess.run(command.split(), check=True)
    subprocess.run(["nft", "-f", "-"], input=_RULES, text=True, check=True)
    with Path("resolv.conf").open("w") as file:
        file.write("nameserver 127.0.0.1\noptions attempts:1 timeout:1\n")
    subprocess.run(["mount", "--bind", "resolv.conf", "/etc/resolv.conf"], check=True)


def _packets(name: str) -> int:
    listed = subprocess.run(
        ["nft", "-j", "list", "counter", "inet", "attack", name], capture_output=True, check=True, text=True
    ).stdout
    [counter] = [one["counter"] for one in json.loads(listed)["nftables"] if "counter" in one]
    return int(counter["packets"])


def _reset() -> None:
    subprocess.run(["nft", "reset", "counters"], check=True, stdout=subprocess.DEVNULL)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")
    with suppress(OSError):
        await writer.drain()
    writer.close()


@asynccontextmanager
async def _guard() -> AsyncIterator[int]:
    """The guard's process as a worker starts it, with the settings of a new installation; its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    port: int = listening.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tools.attack.lone_guard",
        str(listening.fileno()),
        pass_fds=[listening.fileno()],
        env=clean,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    listening.close()
    try:
        yield port
    finally:
        process.kill()
        await process.wait()


async def _dial_past_the_guards() -> None:
    """Nobody judges these."""
    for host in ("127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "fd00::5", "inner.attack.example"):
        reader, writer = await asyncio.open_connection(host, PORT)
        await reader.read()
        writer.close()
    await asyncio.sleep(_GONE_SECONDS)  # what belongs to these connections is not counted below


def _hosts() -> list[str]:
    """Everything that is tried, names that change their address again and again."""
    rebinding = ("rebinding.attack.example", "late.attack.example") * _REBINDS
    return [*_LITERALS, *(name for name in _NAMES if name not in rebinding), *rebinding]


async def _past_the_guard(port: int) -> int:
    """As a room's address, by tunnels and plain requests."""
    attempts = 0
    for host in _hosts():
        for request in (f"CONNECT {host}:{PORT}", f"GET http://{host}:{PORT}/", f"GET http://{PUBLIC}@{host}:{PORT}/"):
            await _ask(port, f"{request} HTTP/1.1\r\nHost: {PUBLIC}\r\n\r\n")
            attempts += 1
    return attempts


async def _join(port: int) -> int:
    """By the SDK's own joins, of names and of servers that lead elsewhere."""
    named = ("localhost.", "inner.attack.example", *["rebinding.attack.example"] * 3)
    attempts = len(named)
    await sdk_joins(port, *(f"ws://{host}:{PORT}" for host in named), seconds=_JOIN_SECONDS * len(named))
    for status, inside in _led():
        async with leading_to(PUBLIC, status, lambda: f"http://{inside}:{PORT}/rtc") as room:  # noqa: B023 - used at once
            await sdk_joins(port, room.url, seconds=_JOIN_SECONDS)
            assert room.connections > 0
        attempts += 1
    return attempts


def _led() -> list[tuple[int, str]]:
    """Redirects: by which status, to where."""
    return [(status, inside) for status in _REDIRECTS for inside in _INSIDE]


async def _ask(port: int, request: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(10):
            await reader.read(4096)
    writer.close()


async def _as_webhooks() -> int:
    """As the URL of a webhook, in clear and not, also of receivers that lead elsewhere; only the dial judges."""
    attempts = 0
    rules = UrlRules(allow_http=True, allow_private_hosts=False, ports=frozenset())
    async with Sender.open(rules, seconds=5) as sender:
        for host in _hosts():
            for scheme in ("http", "https"):
                await sender.post(f"{scheme}://{host}:{PORT}/hook", b"{}", {})
                attempts += 1
        for status, inside in _led():
            async with leading_to(PUBLIC, status, lambda: f"http://{inside}:{PORT}/hook") as hook:  # noqa: B023 - used at once
                await sender.post(hook.url.replace("ws", "http", 1), b"{}", {})
                assert hook.connections > 0
            attempts += 1
    return attempts


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(joining="--without-joins" not in sys.argv))))
