"""What a worker token must say, and that nothing of it is repeated when it doesn't."""

import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from sessions.destinations.worker_token import WorkerTokenClaims, read_worker_token, require_stream_grants
from sessions.errors import ParleyError

NOW = datetime(2026, 11, 22, tzinfo=UTC)
EXP = int(NOW.timestamp()) + 600

GOOD = json.dumps({"exp": EXP, "sub": "parley", "video": {"roomJoin": True, "room": "blue"}})


def mint(**changes: Any) -> SecretStr:
    """A token; a claim given as `...` is left out."""
    claims: dict[str, Any] = {"exp": EXP, "sub": "parley", "video": {"roomJoin": True, "room": "blue"}, **changes}
    claims = {name: value for name, value in claims.items() if value is not ...}
    return SecretStr(jwt.encode(claims, "k" * 32, algorithm="HS256"))


def raw(payload: str, header: str = json.dumps({"alg": "HS256", "typ": "JWT"})) -> SecretStr:
    """A token with any payload."""
    part = jwt.utils.base64url_encode
    return SecretStr(b".".join([part(header.encode()), part(payload.encode()), part(b"signature")]).decode())


def read(token: SecretStr, identity: str | None = None) -> WorkerTokenClaims:
    return read_worker_token(token, now=NOW, room_name="blue", worker_identity=identity)


def test_a_good_token_tells_what_it_allows() -> None:
    """Identity, room, expiry and grants."""
    video = {"roomJoin": True, "room": "blue", "canPublish": False, "hidden": True, "recorder": True}

    claims = read(mint(video=video), "parley")

    assert claims == WorkerTokenClaims("parley", "blue", datetime.fromtimestamp(EXP, UTC), False, True, True, False)


@pytest.mark.parametrize(
    ("grants", "code"),
    [
        ({}, None),
        ({"canPublish": False, "canPublishData": True, "recorder": True}, None),
        ({"hidden": True}, "audio_source.unsupported"),
        ({"canPublishData": False}, "worker_token.missing_grant"),
        ({"canPublish": False}, "worker_token.missing_grant"),
    ],
)
def test_byte_streams_need_a_worker_that_is_seen_and_may_answer(grants: dict[str, bool], code: str | None) -> None:
    """LiveKit lets canPublishData follow canPublish where it is not said."""
    claims = read(mint(video={"roomJoin": True, "room": "blue", **grants}))
    if code is None:
        require_stream_grants(claims)
        return
    with pytest.raises(ParleyError) as caught:
        require_stream_grants(claims)
    assert (caught.value.code, caught.value.param) == (code, "transport.worker_token")


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (mint(exp=int(NOW.timestamp())), "worker_token.expired"),
        (mint(video={"room": "blue"}), "worker_token.missing_grant"),
        (mint(video={"roomJoin": False, "room": "blue"}), "worker_token.missing_grant"),
        (mint(video={"roomJoin": True, "room": "blue", "canSubscribe": False}), "worker_token.missing_grant"),
        (mint(video={"roomJoin": True, "room": "red"}), "worker_token.wrong_room"),
        (mint(video={"roomJoin": True}), "worker_token.wrong_room"),
        (mint(video=...), "worker_token.malformed"),
        (mint(sub=...), "worker_token.malformed"),
        (mint(sub="par\0ley"), "worker_token.malformed"),
        (mint(exp=...), "worker_token.malformed"),
        (mint(exp=-1), "worker_token.malformed"),
        (mint(video={"roomJoin": "yes", "room": "blue"}), "worker_token.malformed"),
        (raw('{"exp": NaN, "sub": "parley", "video": {"roomJoin": true, "room": "blue"}}'), "worker_token.malformed"),
        (raw('{"exp": 1e999, "sub": "parley", "video": {"roomJoin": true, "room": "blue"}}'), "worker_token.malformed"),
        (raw('{"exp": "9", "sub": "parley", "video": {"roomJoin": true, "room": "blue"}}'), "worker_token.malformed"),
        (raw("[" * 5000), "worker_token.malformed"),
        (raw(GOOD, header="[]"), "worker_token.malformed"),
        (raw(GOOD, header="{"), "worker_token.malformed"),
        (SecretStr(raw(GOOD).get_secret_value() + ".more"), "worker_token.malformed"),
        (SecretStr(raw(GOOD).get_secret_value().rpartition(".")[0]), "worker_token.malformed"),
        (SecretStr(raw(GOOD).get_secret_value() + "\n"), "worker_token.malformed"),
        (SecretStr(""), "worker_token.malformed"),
        (SecretStr("a.b.c"), "worker_token.malformed"),
        (SecretStr("x" * 8193), "worker_token.malformed"),
        (SecretStr("é.é.é"), "worker_token.malformed"),
    ],
)
def test_what_cannot_work_is_refused(token: SecretStr, code: str) -> None:
    """By its own code, before any worker tries it."""
    with pytest.raises(ParleyError) as refused:
        read(token)

    assert (refused.value.code, refused.value.param) == (code, "transport.worker_token")


def test_a_token_is_read_as_its_minters_library_reads_it() -> None:
    """Whatever length its parts have, and with letters of any script in them."""
    for length in range(1, 9):
        token = mint(sub="é" * length, video={"roomJoin": True, "room": "blue", "canPublishData": False})
        told = jwt.decode(token.get_secret_value(), options={"verify_signature": False})
        assert read(token).identity == told["sub"]


def test_another_identity_is_refused() -> None:
    """`worker_identity`, when given, must be the token's `sub`."""
    with pytest.raises(ParleyError) as refused:
        read(mint(), "somebody")

    assert (refused.value.code, refused.value.param) == ("worker_token.identity_mismatch", "transport.worker_token")


@given(st.text(min_size=20, max_size=200))
def test_garbage_is_refused_without_an_echo(text: str) -> None:
    """Nothing of the token stands in the error, its cause or its context."""
    with pytest.raises(ParleyError) as refused:
        read(SecretStr(text))

    assert text not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None or refused.value.__suppress_context__
