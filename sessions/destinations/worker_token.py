"""What can be read from a customer's worker token without its secret.

The token is a LiveKit access token (JWT, https://docs.livekit.io/home/get-started/authentication/). Only the LiveKit
server can tell whether its signature is right; Parley looks at the claims, so that a token that cannot work is refused
at create rather than in a worker.
"""

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from sessions.errors import ParleyError
from sessions.texts.text_bounds import NO_NUL, SHORT_CHARACTERS

MAX_TOKEN_CHARACTERS = 8192
PARAM = "transport.worker_token"


class _VideoGrants(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    room_join: bool = Field(default=False, alias="roomJoin")
    room: str | None = None
    can_subscribe: bool | None = Field(default=None, alias="canSubscribe")
    can_publish: bool | None = Field(default=None, alias="canPublish")
    can_publish_data: bool | None = Field(default=None, alias="canPublishData")
    hidden: bool = False
    recorder: bool = False


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    exp: int | float = Field(gt=0, lt=253402300800, allow_inf_nan=False)
    sub: str = Field(min_length=1, max_length=SHORT_CHARACTERS, pattern=NO_NUL)
    video: _VideoGrants


@dataclass(frozen=True, slots=True)
class WorkerTokenClaims:
    """The claims that Parley relies on."""

    identity: str
    room: str
    expires_at: datetime
    can_publish: bool
    hidden: bool
    recorder: bool
    can_publish_data: bool


def require_stream_grants(claims: WorkerTokenClaims) -> None:
    """Check what byte streams need besides: their senders wait for a worker that they see, and for its answers.

    Raises:
        ParleyError: `audio_source.unsupported` or `worker_token.missing_grant`.
    """
    if claims.hidden:
        raise ParleyError(
            "audio_source.unsupported",
            "audio_source=data_stream needs a worker that agents see: mint the worker token without hidden",
            param=PARAM,
        )
    if not claims.can_publish_data:
        raise ParleyError(
            "worker_token.missing_grant",
            "audio_source=data_stream needs canPublishData in the worker token: agents wait for the worker's answers",
            param=PARAM,
        )


def read_worker_token(
    token: SecretStr, *, now: datetime, room_name: str, worker_identity: str | None = None
) -> WorkerTokenClaims:
    """The claims of a token that could let a worker join `room_name` at `now`.

    Raises:
        ParleyError: `worker_token.malformed|expired|missing_grant|wrong_room|identity_mismatch`; its text holds nothing
            of the token.
    """
    claims = _decode(token)
    expires_at = datetime.fromtimestamp(claims.exp, UTC)
    if expires_at <= now:
        raise ParleyError("worker_token.expired", "the worker token has expired", param=PARAM)
    if not claims.video.room_join or claims.video.can_subscribe is False:
        raise ParleyError(
            "worker_token.missing_grant", "the worker token must grant roomJoin and not deny canSubscribe", param=PARAM
        )
    if claims.video.room != room_name:
        raise ParleyError("worker_token.wrong_room", "the worker token is for another room", param=PARAM)
    if worker_identity is not None and claims.sub != worker_identity:
        raise ParleyError(
            "worker_token.identity_mismatch", "the worker token's sub is not worker_identity", param=PARAM
        )
    return WorkerTokenClaims(
        identity=claims.sub,
        room=claims.video.room,
        expires_at=expires_at,
        can_publish=claims.video.can_publish is not False,
        hidden=claims.video.hidden,
        recorder=claims.video.recorder,
        can_publish_data=claims.video.can_publish_data
        if claims.video.can_publish_data is not None
        else claims.video.can_publish is not False,
    )


def _decode(token: SecretStr) -> _Claims:
    malformed = ParleyError("worker_token.malformed", "the worker token is no LiveKit access token", param=PARAM)
    text = token.get_secret_value()
    if len(text) > MAX_TOKEN_CHARACTERS or not text.isascii():
        raise malformed
    try:
        return _Claims.model_validate(_payload(text))
    except (ValidationError, ValueError, RecursionError, OverflowError):
        raise malformed from None  # the cause's text may hold the token


def _payload(text: str) -> object:
    """What a JWT of the compact form (RFC 7519) says, signed or not. PyJWT reads the same, and is 2 MB that verify.

    Raises:
        ValueError, RecursionError: this is none.
    """
    header, payload, _signature = (
        b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True) for part in text.split(".")
    )
    if not isinstance(json.loads(header), dict):
        raise ValueError("the header of a JWT is an object")
    return json.loads(payload)
