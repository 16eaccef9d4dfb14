"""No socket is made for an address that is not public, however it is spelled or found."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from sessions.destinations.webhook_url import UrlRules
from tests.support.running.webhooks import Receiver, receiver
from worker.webhooks.guarded_dial import AddressNotAllowedError, guarded_connector, public_socket
from worker.webhooks.sender import Sender

CAREFUL = UrlRules(allow_http=True, allow_private_hosts=False, ports=frozenset())


class FakeResolver(AbstractResolver):
    """Answers with what it was given, one set of addresses after the other; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As a name server."""
        answers = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answers
        ]

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
async def hooks() -> AsyncIterator[Receiver]:
    """A server that nobody may reach."""
    async with receiver() as server:
        yield server


@pytest.mark.parametrize(
    "spelling",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0", "localhost"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "127.0.0.1."),
    ],
)
async def test_no_spelling_of_this_host_is_connected_to(hooks: Receiver, spelling: str) -> None:
    """By the connector alone, without any look at the URL before."""
    port = hooks.url.rpartition(":")[2]
    async with aiohttp.ClientSession(connector=guarded_connector(allow_private_hosts=False)) as http:
        with pytest.raises((aiohttp.ClientError, ValueError)):
            async with http.post(f"http://{spelling}:{port}/", timeout=aiohttp.ClientTimeout(total=5)):
                pass
    assert hooks.received == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["::1"],
        ["fd00::1"],
        ["fe80::1"],
        ["2002:7f00:1::"],
        ["2001:0:7f00:1::"],
    ],
)
async def test_a_name_with_an_address_that_is_not_public_is_not_dialed(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even at its public ones; no socket is connected."""
    dialed: list[object] = []

    async def connect(_loop: object, _sock: socket.socket, address: object) -> None:
        dialed.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", connect)
    async with Sender.open(CAREFUL, seconds=5, resolver=FakeResolver(addresses)) as sender:
        answer = await sender.post("http://rebinding.example:1/", b"{}", {})
    assert (answer.error, dialed) == ("address_not_allowed", [])


async def test_a_name_that_changes_its_address_is_judged_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Public when it was looked at first, private when it is dialed: what is dialed is what was judged."""
    dialed: list[object] = []

    async def connect(_loop: object, _sock: socket.socket, address: object) -> None:
        dialed.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", connect)
    resolver = FakeResolver(["8.8.8.8"], ["127.0.0.1"])
    async with Sender.open(CAREFUL, seconds=5, resolver=resolver) as sender:
        first = await sender.post("http://rebinding.example:1/", b"{}", {})
        sender._http.connector.clear_dns_cache()  # type: ignore[union-attr]
        second = await sender.post("http://rebinding.example:1/", b"{}", {})
    assert (first.error, second.error) == ("connection_refused", "address_not_allowed")
    assert dialed == [("8.8.8.8", 1)]


@pytest.mark.parametrize("host", ["10.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%lo", "224.0.0.1", "255.255.255.255"])
def test_no_socket_is_made_for_such_an_address(host: str) -> None:
    """Whoever resolved it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with pytest.raises(AddressNotAllowedError):
        public_socket((family, socket.SOCK_STREAM, 0, "", (host, 443)))


async def test_an_installation_may_allow_private_addresses(hooks: Receiver) -> None:
    """Then, and only then, this host is reached."""
    async with Sender.open(UrlRules(True, True, frozenset()), seconds=5) as sender:
        assert (await sender.post(hooks.url, b"{}", {})).error is None
    async with Sender.open(CAREFUL, seconds=5) as sender:
        assert (await sender.post(hooks.url, b"{}", {})).error == "url_not_allowed"
    assert len(hooks.received) == 1


async def test_proxies_of_the_environment_are_not_asked(hooks: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would dial for us, and look at no address."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, hooks.url)
    async with Sender.open(CAREFUL, seconds=1, resolver=FakeResolver(["127.0.0.1"])) as sender:
        answer = await sender.post("http://hooks.example/", b"{}", {})
    assert (answer.error, hooks.received) == ("address_not_allowed", [])
