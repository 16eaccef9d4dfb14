"""No token, key, signature or password gets through the redactor."""

import json
import time

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.texts.redaction import REDACTED, redact, redact_value

TOKEN = jwt.encode({"sub": "worker", "video": {"roomJoin": True}, "exp": 1900000000}, "s" * 32, algorithm="HS256")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"wss://host/rtc?access_token={TOKEN}&auto_subscribe=0", TOKEN),
        (f"status: 401, body: invalid token: {TOKEN}, error", TOKEN),
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (TOKEN[:60], TOKEN[:60]),
        (TOKEN.replace(".", "%2E"), TOKEN.split(".")[1]),
        ("key parley_master_" + "a" * 43, "a" * 43),
        ("Bearer some-opaque-thing", "some-opaque-thing"),
        ("postgresql://parley:hunter2@db/parley", "hunter2"),
        ("https://x/?X-Amz-Signature=abc123&y=1", "abc123"),
        ("/v1/audio?expires=1&signature=c2lnbmF0dXJl", "c2lnbmF0dXJl"),
        ("KeyProviderOptions(shared_key=b'our own \\'passphrase', window=0)", "passphrase"),
        ('{"e2ee": {"shared_key": "our own \\"passphrase"}}', "passphrase"),
        ("{'shared_key': \"it's ours\"}", "ours"),
        ("/x?shared_key=ours&y=1", "ours"),
        ("new row violates a constraint\nDETAIL:  Failing row contains (1, a secret\nwish).", "secret"),
        ("DETAIL:  Failing row contains (1, a\n\nsecret wish).\n[SQL: UPDATE x]", "secret wish"),
    ],
)
def test_secrets_in_text_are_replaced(text: str, secret: str) -> None:
    """And something says that there was one."""
    clean = redact(text)

    assert secret not in clean
    assert REDACTED in clean


def test_what_postgresql_says_beside_the_row_stays() -> None:
    """The statement, and the exception that this one led to."""
    text = "x\nDETAIL:  Key (a)=(b)\n[SQL: UPDATE x]\n\nDuring handling\nDETAIL:  Key (c)=(d)\n\nThe above exception"
    assert redact(text) == text.replace("Key (a)=(b)", REDACTED).replace("Key (c)=(d)", REDACTED)


def test_what_is_no_secret_stays() -> None:
    """Ids, URLs and codes are readable."""
    text = "sess_01J00000000000000000000000 wss://rooms.example/path worker_token.expired, send Bearer <API key>"

    assert redact(text) == text


def test_members_named_like_secrets_are_replaced_whole() -> None:
    """At any depth, whatever they hold."""
    transport = {"worker_token": "short", "e2ee": {"shared_key": "a passphrase"}, "url": "wss://a"}
    value = {"transport": [transport], "Authorization": {"x": 1}, "token": None}

    assert redact_value(value) == {
        "transport": [{"worker_token": REDACTED, "e2ee": {"shared_key": REDACTED}, "url": "wss://a"}],
        "Authorization": REDACTED,
        "token": None,
    }


def test_an_exception_is_redacted_too() -> None:
    """LiveKit's SDK puts the whole token into its text."""
    assert TOKEN not in redact_value(ConnectionError(f"failed: {TOKEN}"))


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_token_does_not_get_through_wherever_it_stands(before: str, after: str) -> None:
    """Its signature, at least, is gone, and redacting twice changes nothing."""
    clean = redact(before + TOKEN + after)

    assert TOKEN.split(".")[1] not in clean
    assert redact(clean) == clean


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_no_token_is_left_in_a_structure(value: object) -> None:
    """Nested anywhere in JSON."""
    assert TOKEN not in json.dumps(redact_value({"a": [value, {"b": f"x {TOKEN}"}]}))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Bearer opaque-thing, x", "Bearer [redacted], x"),
        ("?signature=c2ln&a=1", "?signature=[redacted]&a=1"),
        ("s3://me:word@host", "s3://me:[redacted]@host"),
        ("parley_agent_abc", "[redacted]"),
    ],
)
def test_what_stood_before_a_secret_stays(text: str, clean: str) -> None:
    """So a reader knows what was there."""
    assert redact(text) == clean
    assert redact_value(b"\xff " + text.encode()) == "\ufffd " + clean
    assert redact_value(ValueError(text)) == f"ValueError: {clean}"


@pytest.mark.parametrize(
    "piece", ["a", "a.", "a://b:", "eyJ", "bearer ", "shared_key='", "DETAIL:  ", "://:", "parley_agent_", "token="]
)
def test_a_long_text_costs_what_it_is_long(piece: str) -> None:
    """Whoever writes messages chooses what is searched: 200,000 characters that nearly match take no second."""
    text = piece * (200_000 // len(piece))
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 1
