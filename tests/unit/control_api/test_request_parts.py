"""Small decisions: codes in the source, paths, media types, fingerprints, waits, tags."""

import re
from pathlib import Path

import pytest
from multidict import CIMultiDict

import control_api
from control_api.http.answers.envelope import error_content
from control_api.http.answers.models import EmptyRequest
from control_api.http.requests.accepted_media_type import accepted_media_type
from control_api.http.requests.idempotency_key import fingerprint
from control_api.sessions.bodies.request_models import CreateSessionRequest
from control_api.sessions.long_poll import GOALS, preferred_wait
from sessions.codes import CODES
from sessions.errors import ParleyError
from sessions.ids import new_uuid
from sessions.lifecycle.lifecycle import Status


def _headers(**headers: str) -> CIMultiDict[str]:
    return CIMultiDict(headers)


def test_every_code_in_the_source_is_registered() -> None:
    """An unregistered one would be a crash in the middle of an error."""
    source = "".join(path.read_text() for path in Path(control_api.__path__[0]).rglob("*.py"))
    used = set(re.findall(r'(?:ParleyError|RefusedRequestError)\(\s*"([a-z0-9_.]+)"', source))
    assert len(used) > 15
    assert used <= set(CODES)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "a/json"),
        ("*/*", "a/json"),
        ("t/csv", "t/csv"),
        ("T/CSV ; q=0.5, a/json;q=0.4", "t/csv"),
        ("t/*, a/json;q=0.9", "t/csv"),
        ("t/csv;q=0, */*;q=0.1", "a/json"),
        ("x/y, a/json;q=0.1", "a/json"),
    ],
)
def test_the_best_liked_media_type_is_served(accept: str, expected: str) -> None:
    """Quality first, then our order."""
    assert accepted_media_type(_headers(Accept=accept), ("a/json", "t/csv")) == expected


@pytest.mark.parametrize("accept", ["x/y", "a/json;q=0", "a/json;q=nan", "a/json;q=2", ";;"])
def test_nothing_acceptable_is_refused(accept: str) -> None:
    """406, unreadable qualities included."""
    with pytest.raises(ParleyError) as caught:
        accepted_media_type(_headers(Accept=accept), ("a/json", "t/csv"))
    assert caught.value.code == "not_acceptable"


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, Wait = 7", 7),
        ('wait="3"', 3),
        ("wait=4;x=y", 4),
        ("wait=100", 30),
        ("wait=99999999999999", 0),
        ("wait=-1", 0),
        ("wait", 0),
        ("", 0),
    ],
)
def test_the_preferred_wait_is_read_and_bounded(prefer: str, seconds: int) -> None:
    """What cannot be read is no wish."""
    assert preferred_wait(_headers(Prefer=prefer)) == seconds


def test_every_status_either_waits_for_running_or_has_passed_it() -> None:
    """Nobody waits for what cannot come any more."""
    assert GOALS["running"] == frozenset(Status) - {Status.CREATED, Status.QUEUED, Status.STARTING}


def _body(**fields: object) -> CreateSessionRequest:
    transport = {"type": "livekit", "url": "wss://x.example", "room_name": "r", "worker_token": "a", **fields}
    return CreateSessionRequest.model_validate({"transport": transport})


def test_the_fingerprint_ignores_secrets_and_nothing_else() -> None:
    """A retry mints a new token, and no digest of a passphrase is kept; everything else is another request."""
    assert fingerprint(_body(), None) == fingerprint(_body(worker_token="b"), None)
    assert fingerprint(_body(), None) != fingerprint(_body(room_name="s"), None)
    locked, relocked = (_body(e2ee={"shared_key": key}) for key in ("a", "another"))
    assert fingerprint(locked, None) == fingerprint(relocked, None)
    assert fingerprint(locked, None) != fingerprint(_body(), None)
    one, two = new_uuid(), new_uuid()
    assert fingerprint(EmptyRequest(), one) != fingerprint(EmptyRequest(), two)


def test_the_envelope_redacts_and_its_own_members_cannot_be_overwritten() -> None:
    """Whatever a library put into a message."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"
    error = ParleyError("field.invalid", f"bad {token}", param=token, extra={"type": "x", "errors": [{"m": token}]})
    content = error_content(error, "req_1")
    assert token not in str(content)
    assert content["error"]["type"] == "unprocessable"
    assert content["error"]["errors"] == [{"m": "[redacted]"}]
