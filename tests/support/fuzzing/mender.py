"""What schemathesis can't make up: worker tokens, ids that belong together, signatures, periods that are some.

Half of the cases that are meant to be right are mended, so that they get further than to their first semantic check;
the other half go out as they were made: what may refuse them is in `tests.support.fuzzing.excuses`. Those that follow
links are all mended. Those that are meant to be wrong are about sessions and keys that exist, unless it is that which
is wrong: else "not found" would hide that the rest was taken.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zlib import crc32

from schemathesis import Case, GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

from control_api.outputs.recordings.links import LINK_SECONDS, OBJECTS_PATH
from sessions.texts.timestamps import format_timestamp
from store.access.vault import LinkSigner
from tests.support.fuzzing.cast import ADDRESSES, Actor, Cast
from tests.support.fuzzing.scene import Scene
from tests.support.running.api_server import ROOM_URL, worker_token

DAY = 86_400.0
OF_WEBHOOKS = frozenset({"create_webhook_endpoint", "update_webhook_endpoint", "replay_webhook_events"})
BY_TYPE = frozenset({"session_audio", "session_transcript", "session_status"})


@dataclass
class Mender:
    """Mends cases in place.

    Attributes:
        succeeded: operations that have answered well; until then each of their cases is mended.
    """

    cast: Cast
    scene: Scene
    signer: LinkSigner
    succeeded: set[str] = field(default_factory=set)
    _numbers: "count[int]" = field(default_factory=count)

    def mend(self, case: Case[Any]) -> None:
        """Before it is sent."""
        if case.headers and "wait" in case.headers.get("Prefer", ""):
            case.headers["Prefer"] = "wait=1"  # whoever asks, waits
        if case.meta is None:
            return
        operation = operation_id(case)
        if operation == "test_webhook_endpoint" and not is_wrong_at(case, ParameterLocation.QUERY):
            case.query["wait_seconds"] = 0  # nobody delivers
        if case.meta.generation.mode is GenerationMode.POSITIVE and isinstance(case.body, dict):
            case.body = _without_nul(case.body)
        if case.meta.generation.mode is not GenerationMode.POSITIVE:
            if not is_wrong_at(case, ParameterLocation.PATH):
                self._address(case, operation)
            return
        if operation in self.succeeded and not _is_chosen(case) and not _is_linked(case):
            return
        if case.headers and "Idempotency-Key" in case.headers:  # another body with it would be refused
            case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:240]}-{next(self._numbers)}"
        self._address(case, operation)
        if isinstance(case.body, dict):
            self._mend_body(case, operation, case.body)
        if operation in BY_TYPE:
            self._say_its_type(case.query)
        if own := _OWN.get(operation):
            own(self, case)

    def _address(self, case: Case[Any], operation: str) -> None:
        """Ask for a session about which there is something to say, or a key; who follows a link has one."""
        if _is_linked(case):
            return
        path, query = case.path_parameters or {}, case.query or {}
        body = case.body if isinstance(case.body, dict) else {}
        if "key_id" in path:
            path["key_id"] = self.scene.spare_key()
        if "endpoint_id" in path:
            path["endpoint_id"] = self.scene.new_endpoint()
        if "delivery_id" in path:
            path["delivery_id"] = self.scene.new_delivery()
        named = set(ADDRESSES) & {*path, *query, *body}
        actor = self._actor(operation) if named else None
        if actor is None:
            return
        for name, members in (("session_id", path), ("session_key", path), ("sessionId", query), ("sessionId", body)):
            if name in members:
                members[name] = actor.id
        if "agent_id" in path:
            path["agent_id"] = actor.agent_id
        if "sessionId" in body or operation == "session_summary":
            (body if body else query).pop("projectId", None)

    def _actor(self, operation: str) -> Actor | None:
        if operation.startswith("delete_"):
            return self.scene.spare_session(archived="archived" in operation)
        return self.cast.pick(operation)

    def _say_its_type(self, query: dict[str, Any]) -> None:
        actor = self.cast.get(query.get("sessionId", ""))
        query.pop("projectId", None)
        query["type"] = "instant"
        if actor is not None and actor.project_id is not None:
            query["type"], query["projectId"] = "project", actor.project_id

    def _mend_body(self, case: Case[Any], operation: str, body: dict[str, Any]) -> None:
        if isinstance(body.get("transport"), dict):
            body["transport"] = self._transport(body["transport"])
            if body.get("start_at") is not None:
                body["start_at"] = format_timestamp(datetime.now(UTC) + timedelta(hours=1))
            if body.get("max_duration_seconds") is not None:  # shorter ones end while others are looked at
                body["max_duration_seconds"] = 3600 + int(body["max_duration_seconds"]) % 3600
        data = body.get("data")
        if operation.endswith("_task_session") and isinstance(data, dict) and isinstance(data.get("transport"), dict):
            data["transport"] = self._transport(data["transport"])
        if operation == "create_api_key":
            _mend_key(body)
        if operation in OF_WEBHOOKS:
            _mend_webhook(body)
        if operation == "replace_worker_token":
            actor = self.cast.get(case.path_parameters["session_id"])
            room, identity = (actor and actor.room) or ("room", "recorder")
            body["worker_token"] = worker_token(room, identity, ttl=DAY)
        if operation == "regenerate_session_summary":
            actor = self.cast.get(body.get("sessionId", ""))
            if actor is not None and actor.project_id is not None:
                body["instant_voice_links"] = False

    def _transport(self, transport: dict[str, Any]) -> dict[str, Any]:
        """A real JWT for a room of its own at a public URL; all other members stay."""
        room = f"room-{next(self._numbers)}"
        kept = transport if transport.get("type") == "livekit" else {}
        identity = kept.get("worker_identity") or "recorder"
        return {
            **kept,
            "type": "livekit",
            "url": ROOM_URL,
            "room_name": room,
            "worker_token": worker_token(room, identity, ttl=DAY),
        }

    def _sign(self, case: Case[Any]) -> None:
        actor = self.cast.pick("get_audio")
        if actor is None:
            return
        key = f"sessions/{actor.id}/conversation.wav"
        expires_at = (datetime.now(UTC) + timedelta(seconds=LINK_SECONDS)).replace(microsecond=0)
        case.path_parameters["key"] = key
        case.query["expires"] = str(int(expires_at.timestamp()))
        if case.headers and "Range" in case.headers and next(self._numbers) % 2:
            case.headers["Range"] = "bytes=10-19"
        case.query["name"] = "Conversation.wav"
        case.query["signature"] = self.signer.sign(f"{OBJECTS_PATH}{key}?name=Conversation.wav", expires_at)

    def _mend_period(self, case: Case[Any]) -> None:
        """A cursor only with groups."""
        self._mend_edges(case)
        if "group_by" not in case.query:
            case.query.pop("after", None)

    def _mend_edges(self, case: Case[Any]) -> None:
        """A month or two edges, a zone that exists."""
        query = case.query
        if "period_start" in query or "period_end" in query:
            query.pop("period", None)
            query["period_start"], query["period_end"] = "2026-01-01", "2026-02-01T00:00:00Z"
        if "time_zone" in query:
            query["time_zone"] = "Europe/Berlin"

    def _forget_cursor(self, case: Case[Any]) -> None:
        """A cursor of the ledger is a row of it."""
        case.query.pop("after", None)


_OWN: dict[str, Callable[[Mender, Case[Any]], None]] = {
    "get_object": Mender._sign,
    "get_usage": Mender._mend_period,
    "verify_usage": Mender._mend_edges,
    "list_usage_events": Mender._forget_cursor,
}


def _mend_webhook(body: dict[str, Any]) -> None:
    """A URL that is allowed, types that there are, one beginning."""
    if body.get("url") is not None:
        body["url"] = "https://hooks.example.com/parley"
    for name in ("event_types", "types"):
        if body.get(name) is not None:
            body[name] = ["session.*"]
    if "after" in body or "since" in body:
        body.pop("after", None)
        body["since"] = "2026-11-22T00:00:00Z"


def operation_id(case: Case[Any]) -> str:
    """The operation's name in our table."""
    return str(case.operation.definition.raw["operationId"])


def is_wrong_at(case: Case[Any], location: ParameterLocation) -> bool:
    """Whether this part of the request is meant to be wrong."""
    return case.meta is not None and case.meta.is_negative_at(location)


def _is_linked(case: Case[Any]) -> bool:
    """Whether it is a step of a scenario. Repeated, that has to go the same way, or Hypothesis gives up."""
    return case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL


def _is_chosen(case: Case[Any]) -> bool:
    """By what is in it: the same case is mended again, or isn't again."""
    return crc32(repr((case.path_parameters, case.query, case.headers, case.body)).encode()) % 2 == 0


def _without_nul(value: Any) -> Any:
    """The same JSON; the document has no words for "no NUL at any depth" that makers of clients could read."""
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_without_nul(item) for item in value]
        case dict():
            return {_without_nul(name): _without_nul(member) for name, member in value.items()}
    return value


def _mend_key(body: dict[str, Any]) -> None:
    if body.get("expires_at") is not None:
        body["expires_at"] = format_timestamp(datetime.now(UTC) + timedelta(days=1))
    if body.get("kind") == "agent":
        body["agent_id"] = body.get("agent_id") or "agent_x"
        body["scopes"] = body.get("scopes") or ["sessions:read"]
    else:
        body.pop("agent_id", None)
        body.pop("scopes", None)
