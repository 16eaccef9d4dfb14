"""The `Idempotency-Key` header and the fingerprint of what it stands for."""

import hashlib
import json
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from sessions.errors import ParleyError
from store.jobs.purge import KEPT_HOURS

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_MOST_CHARACTERS = 255
_CHARACTERS = f"1 to {_MOST_CHARACTERS} printable ASCII characters"
DESCRIPTION = f"{_CHARACTERS}, kept for {KEPT_HOURS} h: a repetition with the same key gets the first answer."
SCHEMA = {"type": "string", "minLength": 1, "maxLength": _MOST_CHARACTERS, "pattern": "^[!-~]([ -~]*[!-~])?$"}


def read_key(request: web.Request) -> str | None:
    """The key, if one was sent.

    Raises:
        ParleyError: `idempotency.invalid`: not 1 to 255 printable ASCII characters, or sent twice.
    """
    values = request.headers.getall(HEADER, [])
    if not values:
        return None
    key = values[0]
    if len(values) > 1 or not 1 <= len(key) <= _MOST_CHARACTERS or not key.isascii() or not key.isprintable():
        raise ParleyError("idempotency.invalid", f"an Idempotency-Key has {_CHARACTERS}")
    return key


def fingerprint(
    body: BaseModel | None,
    object_id: UUID | None,
    agent_id: str | None = None,
    key_id: UUID | None = None,
    *,
    reads_content: bool = True,
) -> bytes:
    """SHA-256 over what was asked: the members that were sent and the object of the path.

    Without its secrets: `worker_token` is left out, and a `SecretStr` such as `shared_key` is dumped as asterisks.

    Args:
        agent_id: of the key, or of the path: an answer that one agent got is no other's.
        key_id: of the API key, where the answer is a secret: a key with other scopes may not read it.
        reads_content: whether the API key may read content, which the first one's answer may show.
    """
    token = {"transport": {"worker_token"}}
    content = None if body is None else body.model_dump(mode="json", exclude_unset=True, exclude=token)
    asked = [content, object_id and object_id.hex, agent_id, *([] if key_id is None else [key_id.hex])]
    if not reads_content:
        asked.append("without content")
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()
