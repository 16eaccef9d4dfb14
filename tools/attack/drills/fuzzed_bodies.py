"""Bodies that are nearly right, or not at all, to every operation that takes one: none is answered with a 5xx."""

import asyncio
import json
import random
from collections import Counter
from typing import Any

import aiohttp

from control_api.http.openapi.operation import Operation
from control_api.http.requests.path_parameters import path_parameters
from control_api.operations import OPERATIONS
from tests.support.running.api_server import create_body, worker_token
from tools.attack.api_scene import PATIENT, Client, attacked
from tools.attack.row import Effort, Row

BODIES = 20_000
_CLIENTS = 8
_JSON = {"Content-Type": "application/json"}
_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, "", " ", "x" * 5000, "é" * 300),
    *(
        "\x00",
        "\u202e",
        "😀" * 64,
        "1",
        "null",
        "2026-13-45T99:99:99Z",
        "9999-12-31T23:59:59Z",
        "-0001-01-01T00:00:00Z",
    ),
    *(
        "ws://[::1",
        "https://a@b:99999/?#",
        "ws://" + "a" * 300 + ".example",
        "eyJhbGciOiJub25lIn0.e30.",
        "../../etc/passwd",
    ),
    *("sess_00000000000000000000000000", "session_" + "0" * 32, [], {}, [[]], [None] * 300, {"a": {"b": {"c": {}}}}),
    *(
        {"": ""},
        {"x" * 300: 1},
        ["\ud800"],
        {"type": "livekit"},
        {"$ref": "#"},
        "'; DROP TABLE sessions; --",
        "%s%n{0}",
    ),
)
_RAW: tuple[bytes, ...] = (
    *(b"", b"{", b"}", b"null", b"[]", b'"x"', b"0", b"NaN", b"{}{}", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{\x00}"),
    *(
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":"\\ud800"}',
        b'{"a":1e999}',
        b"[" * 3000,
        b'{"a":' * 500,
    ),
    *(b'{"a":' + b"9" * 5000 + b"}", b"x" * 70_000, b'{"transport":' + b"[" * 90 + b"]" * 90 + b"}"),
)
_HEADERS: tuple[dict[str, str], ...] = (
    *(_JSON,) * 12,
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/json; charset=utf-16"},
    {**_JSON, "Content-Encoding": "gzip"},
    {**_JSON, "Idempotency-Key": "k" * 300},
)


async def attack(effort: Effort) -> list[Row]:
    """N is a number of bodies."""
    wanted = effort.n or BODIES
    choose = random.Random(effort.seed)
    async with attacked(effort, api=PATIENT) as stack, aiohttp.ClientSession() as http:
        client = Client(http, stack.bases[0])
        ids = await _something_to_ask_about(client)
        operations = [one for one in OPERATIONS if one.body is not None and one.method in ("POST", "PUT", "PATCH")]
        statuses: Counter[int] = Counter()
        broken: list[str] = []
        over = effort.patience()

        async def ask() -> None:
            while client.requests < wanted and not over():
                operation = choose.choice(operations)
                path = operation.path.format(**{name: ids[name] for name in path_parameters(operation.path)})
                waits = any(parameter.name == "wait_seconds" for parameter in operation.query)
                path += "?wait_seconds=0" if waits else ""
                headers, body = choose.choice(_HEADERS), _body(operation, choose)
                status, text = await client.send(operation.method, path, data=body, headers=headers)
                statuses[status] += 1
                if status >= 500:
                    broken.append(f"{operation.method} {path}: {status} {text[:300]!r} to {body[:300]!r}")

        async with asyncio.TaskGroup() as group:
            for _ in range(_CLIENTS):
                group.create_task(ask())
    for one in broken[:20]:
        print(one)
    print("fuzzed bodies were answered", dict(sorted(statuses.items())))
    n = f"{sum(statuses.values()):,} bodies, {len(operations)} operations"
    return [Row("answers to fuzzed bodies that are 5xx", 0, len(broken), "", n)]


async def _something_to_ask_about(client: Client) -> dict[str, str]:
    """An id for each parameter of a path."""

    async def made(path: str, body: Any) -> Any:
        status, text = await client.send("POST", path, json=body)
        assert status in (200, 201), text
        return json.loads(text)

    session = (await made("/v1/sessions", create_body("fuzzed", agent_id="agent")))["id"]
    key = (await made("/v1/api_keys", {"kind": "agent", "agent_id": "agent", "scopes": ["sessions:read"]}))["id"]
    hook = (await made("/v1/webhook_endpoints", {"url": "https://hooks.example.com/x"}))["id"]
    await made(f"/v1/webhook_endpoints/{hook}/test?wait_seconds=0", {})
    _, deliveries = await client.send("GET", f"/v1/webhook_endpoints/{hook}/deliveries")
    delivery = json.loads(deliveries)["data"][0]["id"]
    return {
        "session_id": session,
        "session_key": session,
        "agent_id": "agent",
        "key_id": key,
        "endpoint_id": hook,
        "delivery_id": delivery,
    }


def _body(operation: Operation, choose: random.Random) -> bytes:
    """An example of the operation, spoiled in one to three places; sometimes what is no example of anything."""
    if choose.random() < 0.1:
        return choose.choice(_RAW)
    body = json.loads(json.dumps(choose.choice(list(operation.request_examples.values()) or [{}])))
    if "transport" in body:
        body["transport"]["worker_token"] = worker_token(body["transport"]["room_name"])
    for _ in range(choose.randint(1, 3)):
        body = _spoiled(body, list(operation.body.model_fields) if operation.body else [], choose)
    text = json.dumps(body).encode()
    if choose.random() < 0.1:
        cut = choose.randrange(len(text) + 1)
        text = text[:cut] + bytes([choose.randrange(256)]) + text[cut + choose.randrange(3) :]
    return text


def _spoiled(value: Any, fields: list[str], choose: random.Random) -> Any:
    """With one thing in it that is another now, is gone, or is new."""
    if isinstance(value, dict):
        changed = dict(value)
        what = choose.random()
        if what < 0.15 and changed:
            del changed[choose.choice(list(changed))]
        elif what < 0.45 or not changed:
            changed[choose.choice([*fields, "unknown", ""])] = choose.choice(_ODD)
        else:
            name = choose.choice(list(changed))
            changed[name] = _spoiled(changed[name], [], choose)
        return changed
    if isinstance(value, list) and value and choose.random() < 0.7:
        index = choose.randrange(len(value))
        return [*value[:index], _spoiled(value[index], [], choose), *value[index + 1 :]]
    return choose.choice(_ODD)
