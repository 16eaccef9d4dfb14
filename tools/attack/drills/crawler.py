"""Another tenant asks for everything that a tenant has, by every operation of the five styles: nothing is told.

A leak is an answer with a word that only the victim knows, one that differs from the answer about something that does
not exist, one that succeeds, or anything that has changed for the victim afterwards.
"""

import asyncio
import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp

from control_api.http.openapi.operation import Operation
from control_api.http.requests.path_parameters import path_parameters
from control_api.operations import OPERATIONS
from sessions.ids import format_id, parse_id
from tests.support.running.api_server import create_body
from tools.attack.api_scene import PATIENT, Client, attacked, new_key
from tools.attack.row import Effort, Row

CANARY = "canary7f3a"
REQUESTS = 20_000
_CLIENTS = 8
_RANDOM_BITS = 60  # at the end of every id; what is before says when it was made, or where it is in a log
_SESSIONS = 6
_SCOPES = (
    "sessions:read",
    "sessions:read_metadata",
    "sessions:write",
    "sessions:delete",
    "usage:read",
    "keys:manage",
    "webhooks:manage",
)
_KINDS = {"session_id": "sess", "session_key": "sess", "key_id": "key", "endpoint_id": "whe", "delivery_id": "dlv"}
_OWN_LISTS = ("starting_after", "after")
_ID = re.compile(r"\b(?:session_[0-9a-f]{32}|(?:sess|key|whe|dlv|evt|evc|req)_[0-9A-Z]{26})\b")
_GET_SESSION = next(operation for operation in OPERATIONS if operation.name == "get_session")
_SIGNS = ("tells of the victim", "succeeds", "differs from what is told of nobody's")
_RETRY = re.compile(r"^retry: \d+$", re.MULTILINE)
_FILTERED = re.compile(r"[?&](?:session_id|after|starting_after)=")  # of the asking tenant's own list


@dataclass
class Victim:
    """What a tenant has; `ids` by kind."""

    agent: str
    ids: dict[str, list[str]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)


async def attack(effort: Effort) -> list[Row]:
    """N is a number of requests of the other tenant's keys."""
    wanted = effort.n or REQUESTS
    async with attacked(effort, api=PATIENT) as stack, aiohttp.ClientSession() as http:
        owner = Client(http, stack.bases[0], new_key(stack, "victim"))
        victim = await _furnish(owner)
        keys = [
            new_key(stack, "attacker"),
            new_key(stack, "attacker", "--kind", "agent", "--agent", victim.agent, *_options("--scope", _SCOPES)),
        ]
        before = await _seen(owner, victim)
        crawler = _Crawler([Client(http, stack.bases[0], key) for key in keys], victim, random.Random(effort.seed))
        left = await crawler.crawl(wanted, effort.patience())
        changed = await _seen(owner, victim) != before
        own = _Crawler([owner], victim, random.Random(effort.seed))
        await own.ask(_GET_SESSION, f"/v1/sessions/{victim.ids['sess'][1]}", owner)
        assert len(own.leaks) == len(_SIGNS), "what its owner is told looks like no leak: nothing is noticed here"
    leaks = crawler.leaks + (["the victim's things have changed"] if changed else [])
    for leak in leaks[:20]:
        print(leak)
    if left > 0:
        print(f"{left} questions were not asked, for want of time")
    n = f"{crawler.requests:,} requests, {len(crawler.operations)} operations"
    return [Row("what another tenant is told or may do", 0, len(leaks), "leaks", n)]


def _options(name: str, values: tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (name, value)]


async def _furnish(owner: Client) -> Victim:
    """Sessions of every style with words that nobody else knows, keys, webhooks with deliveries, events."""
    victim = Victim(f"agent-{CANARY}")
    content: dict[str, Any] = {
        "title": f"{CANARY} title",
        "prompt": f"{CANARY} prompt",
        "metadata": {"ticket": CANARY},
        "tags": [CANARY],
        "agent_id": victim.agent,
        "task_id": f"task-{CANARY}",
        "project_id": f"project-{CANARY}",
        "external_customer_id": f"customer-{CANARY}",
    }
    hook = {"url": f"https://{CANARY}.example.com/hook", "agent_id": victim.agent}
    endpoint = await _ok(owner, "POST", "/v1/webhook_endpoints", {**hook, "description": f"{CANARY} hook"})
    sessions = [
        (await _ok(owner, "POST", "/v1/sessions", create_body(f"{CANARY}-{number}", **content)))["id"]
        for number in range(_SESSIONS)
    ]
    text = {name: content[name] for name in ("agent_id", "task_id", "prompt")} | {"data": {"note": f"{CANARY} data"}}
    for _ in range(_SESSIONS):
        made = await _ok(owner, "POST", "/api/sessions", text)
        await _ok(owner, "POST", f"/api/sessions/{made['id']}/message", {"content": f"{CANARY} said"})
        sessions.append(made["id"])
    await _ok(owner, "POST", f"/v1/sessions/{sessions[0]}/cancel", {})
    await _ok(owner, "POST", f"/v1/sessions/{sessions[0]}/archive", {})
    key = await _ok(owner, "POST", "/v1/api_keys", {"kind": "master", "name": CANARY})
    await _ok(owner, "POST", f"/v1/webhook_endpoints/{endpoint['id']}/test?wait_seconds=0", {})
    events: list[Any] = []
    async with asyncio.timeout(30):
        while len(events) < _SESSIONS:
            events = (await _ok(owner, "GET", "/v1/events"))["data"]
            await asyncio.sleep(0.2)
    deliveries = (await _ok(owner, "GET", f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"))["data"]
    assert deliveries
    victim.ids = {
        "sess": [*sessions, *(_hex(one) for one in sessions)],
        "key": [key["id"]],
        "whe": [endpoint["id"]],
        "dlv": [one["id"] for one in deliveries],
    }
    victim.events = [event["id"] for event in events]
    return victim


async def _ok(client: Client, method: str, path: str, body: Any = None) -> Any:
    status, text = await client.send(method, path, json=body)
    assert 200 <= status < 300, (method, path, status, text)
    return json.loads(text)


def _hex(session_id: str) -> str:
    return f"session_{parse_id('sess', session_id, param='id').hex}"


async def _seen(owner: Client, victim: Victim) -> list[Any]:
    """What the victim sees of its own, without what time alone changes."""
    paths = ["/v1/sessions?limit=100", "/v1/webhook_endpoints", "/v1/api_keys"]
    paths += [f"/v1/sessions/{one}/messages" for one in victim.ids["sess"]]
    seen = [await _ok(owner, "GET", path) for path in paths]
    for key in seen[2]["data"]:
        key.pop("last_used_at")
    return seen


class _Crawler:
    """Asks about what is the victim's, and about what is nobody's, and compares."""

    def __init__(self, clients: list[Client], victim: Victim, choose: random.Random) -> None:
        self.leaks: list[str] = []
        self.operations: set[str] = set()
        self._clients = clients
        self._victim = victim
        self._random = choose
        self._words = [f"{CANARY} {word}" for word in ("title", "prompt", "said", "data", "hook")]
        self._words += [one for ids in victim.ids.values() for one in ids]

    @property
    def requests(self) -> int:
        """So many were sent."""
        return sum(client.requests for client in self._clients)

    async def crawl(self, wanted: int, over: Callable[[], bool]) -> int:
        """Until so many were sent, every question at least once, or until it is over; how many were not asked."""
        once = list(self._questions())
        self._random.shuffle(once)
        again = itertools.cycle(once)
        todo = itertools.chain(once, (next(again) for _ in itertools.count()))
        sent_all = len(once)

        async def ask() -> None:
            nonlocal sent_all
            for operation, path, client in todo:
                sent_all -= 1
                await self.ask(operation, path, client)
                if over() or (sent_all <= 0 and self.requests >= wanted):
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(_CLIENTS):
                group.create_task(ask())
        return max(sent_all, 0)

    def _questions(self) -> Iterator[tuple[Operation, str, Client]]:
        """Each operation about each thing of the victim's, in the path, in the query or as a cursor."""
        for operation, client in itertools.product(OPERATIONS, self._clients):
            if operation.public or operation.path.endswith("/docs"):
                continue
            things = [name for name in path_parameters(operation.path) if name in _KINDS]
            for chosen in itertools.product(*(self._victim.ids[_KINDS[name]] for name in things)):
                names = dict(zip(things, chosen, strict=True))
                path = operation.path.format(agent_id=self._victim.agent, **names)
                for query in self._queries(operation):
                    yield operation, path + query, client

    def _queries(self, operation: Operation) -> Iterator[str]:
        yield ""
        named = {parameter.name for parameter in operation.query}
        if "sessionId" in named:
            yield from (f"?sessionId={one}" for one in self._victim.ids["sess"])
        if "session_id" in named:
            yield from (f"?session_id={one}" for one in self._victim.ids["sess"])
        for name in ("agent_id", "task_id", "project_id", "external_customer_id", "tag"):
            if name in named:
                value = {"agent_id": self._victim.agent, "tag": CANARY}.get(name, f"{name.split('_')[0]}-{CANARY}")
                yield f"?{name}={value}"
                yield f"?{name}={value.replace('customer', 'external')}"
        for name in _OWN_LISTS:
            if name in named:
                cursors = (
                    self._victim.events
                    if name == "after"
                    else [one for ids in self._victim.ids.values() for one in ids]
                )
                yield from (f"?{name}={one}" for one in cursors[:8])

    async def ask(self, operation: Operation, path: str, client: Client) -> None:
        """One question, and what is wrong with its answer."""
        self.operations.add(operation.name)
        body = self._body(operation)
        status, told = asked = await self._send(client, operation, path, body)
        what = f"{operation.method} {path}"
        text = told.decode(errors="replace")
        if any(word in text and word not in path for word in self._words):
            self.leaks.append(f"{what} {_SIGNS[0]}: {status} {text[:300]}")
        of_nobody = _ID.sub(lambda found: _nobodys(found[0]), path)
        if of_nobody == path:
            return
        if status < 400 and not _FILTERED.search(path):
            self.leaks.append(f"{what} {_SIGNS[1]}: {status} {text[:300]}")
        compared = await self._send(client, operation, of_nobody, body)
        if _plain(asked) != _plain(compared):
            self.leaks.append(f"{what} {_SIGNS[2]}: {asked} and {compared}")

    def _body(self, operation: Operation) -> Any:
        if operation.body is None:
            return None
        body = dict(self._random.choice(list(operation.request_examples.values()) or [{}]))
        if "sessionId" in body:
            body["sessionId"] = self._random.choice(self._victim.ids["sess"])
        return body

    @staticmethod
    async def _send(client: Client, operation: Operation, path: str, body: Any) -> tuple[int, bytes]:
        return await client.send(operation.method, path, **({} if body is None else {"json": body}))


def _nobodys(like: str) -> str:
    """An id that nothing has, of the same time or place as this one, and spelled as it is."""
    kind: Any = like.partition("_")[0]
    spelled_hex = kind == "session"
    value = UUID(hex=like.removeprefix("session_")) if spelled_hex else parse_id(kind, like, param="id")
    made = UUID(int=value.int ^ (1 + random.getrandbits(_RANDOM_BITS)))
    return f"session_{made.hex}" if spelled_hex else format_id(kind, made)


def _plain(answer: tuple[int, bytes]) -> tuple[int, str]:
    """The answer without ids, its own and those that were sent, and without what is random in streams."""
    return answer[0], _RETRY.sub("", _ID.sub("", answer[1].decode(errors="replace")))
