"""Thousands of clients begin a request and don't go on, again as soon as they are closed: others get their answers."""

import asyncio
import resource
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp

from tests.support.running.stack import eventually
from tools.attack.api_scene import Client, attacked, new_key
from tools.attack.neighbor import Waited, ask
from tools.attack.row import Effort, Row

CLIENTS = 2000
_REQUESTS = 900
_ROUNDS = 6
_HALF = b"GET /v1/sessions HTTP/1.1\r\nHost: here\r\nX-"
_ADDRESSES = 64  # of loopback, as one address may not have so many connections


async def attack(effort: Effort) -> list[Row]:
    """N is a number of clients. Rounds alone and beside them take turns, so that both meet the same machine."""
    clients = effort.n or CLIENTS
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    alone, beside = Waited(), Waited()
    open_most = 0
    limits = {"PARLEY_LIMIT_KEY_REQUESTS_PER_SECOND": "0", "PARLEY_LIMIT_REQUESTS_PER_SECOND": "0"}
    async with attacked(effort, api=limits) as stack, aiohttp.ClientSession() as http:
        neighbor = Client(http, stack.bases[0], new_key(stack, "neighbor"))
        await ask(neighbor, 50)
        for _ in range(_ROUNDS):
            _add(alone, await ask(neighbor, _REQUESTS // _ROUNDS))
            crowd = _Crowd(stack.bases[0], clients)
            async with asyncio.TaskGroup() as group:
                slow = [group.create_task(crowd.one(number)) for number in range(clients)]
                await eventually(crowd.complete, what="all slow clients have begun")
                _add(beside, await ask(neighbor, _REQUESTS // _ROUNDS))
                open_most = max(open_most, crowd.open)
                for task in slow:
                    task.cancel()
    print(f"alone: {alone}\nbeside {clients} slow clients ({open_most} connections open): {beside}")
    n = f"{len(beside.milliseconds)} requests, {clients:,} clients"
    return [
        Row("p99 beside clients that send half a head", 1.2, beside.p99 / alone.p99, "× alone", n),
        Row("requests refused beside them", 0, beside.refused, "", n),
    ]


def _add(all_: Waited, more: Waited) -> None:
    all_.milliseconds += more.milliseconds
    all_.refused += more.refused


class _Crowd:
    """Clients of many addresses; `begun` have had a connection, `open` have one now."""

    def __init__(self, base: str, clients: int) -> None:
        self._clients = clients
        self.begun = 0
        self.open = 0
        self._address = urlsplit(base)

    async def complete(self) -> bool:
        """Whether all have begun."""
        return self.begun >= self._clients

    async def one(self, number: int) -> None:
        first = True
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(
                    self._address.hostname,
                    self._address.port,
                    local_addr=(f"127.1.{number % _ADDRESSES}.1", 0),
                )
                self.open += 1
                try:
                    writer.write(_HALF)
                    self.begun += first
                    first = False
                    await reader.read()
                finally:
                    self.open -= 1
                    writer.close()
            self.begun += first
            first = False
            await asyncio.sleep(1)
