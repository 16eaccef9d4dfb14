"""`PARLEY_API_HOST=::` listens for IPv6 and IPv4: health checks in a container ask 127.0.0.1."""

import socket

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from control_api import server
from worker.host.monitoring.health import serve_health


@pytest.fixture(autouse=True)
def _both_families() -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("THIS MACHINE HAS NO IPv6")


async def test_a_workers_health_page_is_served_to_both_families() -> None:
    """And by an address of one family to that one only."""
    async with serve_health("::", 0, checks={}, metrics=CollectorRegistry()) as url, aiohttp.ClientSession() as http:
        port = url.rpartition(":")[2]
        for address in ("127.0.0.1", "[::1]"):
            async with http.get(f"http://{address}:{port}/healthz") as answer:
                assert answer.status == 200
    async with serve_health("::1", 0, checks={}, metrics=CollectorRegistry()) as url, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(f"http://127.0.0.1:{url.rpartition(':')[2]}/healthz")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_api_listens_for_both_families(address: str) -> None:
    """Whoever asks for either is let in."""
    with (
        server._listen("::", 0) as listening,
        socket.create_connection((address, listening.getsockname()[1]), timeout=5),
    ):
        connection, _ = listening.accept()
        connection.close()
