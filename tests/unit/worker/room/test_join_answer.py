"""What the SDK says about a failed join, as a code and nothing else."""

import pytest

from sessions.codes import CODES
from worker.room.join_answer import join_error

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "code", "final"),
    [
        ("client error: 401 Unauthorized - invalid token: {token}", "worker_token.rejected", True),
        ("client error: 403 Forbidden - abc", "worker_token.rejected", True),
        ("client error: 400 Bad Request - no room name", "room.join_failure", True),
        ("client error: 404 Not Found - requested room does not exist", "room.join_failure", True),
        ("client error: 404 Not Found - 401", "room.not_livekit", True),
        ("client error: 429 Too Many Requests - ", "room.join_failure", False),
        ("handshake error: 200 OK", "room.not_livekit", True),
        ("handshake error: 302 Found", "room.not_livekit", True),
        ("server error: 500 Internal Server Error - IO error", "room.join_failure", False),
        ("server error: 502 Bad Gateway - hello", "room.join_failure", False),
        ("transport connection error: IO error: Connection refused (os error 111)", "room.refused", False),
        ("transport connection error: IO error: Network is unreachable (os error 101)", "room.unreachable", False),
        (
            "transport connection error: IO error: failed to lookup address information: Name or service not known",
            "room.name_unresolved",
            True,
        ),
        (
            "transport connection error: IO error: failed to lookup address information: "
            "Temporary failure in name resolution",
            "room.name_unresolved",
            False,
        ),
        (
            "transport connection error: IO error: invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))",
            "room.tls",
            True,
        ),
        (
            "transport connection error: IO error: received corrupt message of type InvalidContentType",
            "room.tls",
            True,
        ),
        ("transport connection error: WebSocket protocol error: Handshake not finished", "room.tls", True),
        (
            "transport connection error: WebSocket protocol error: httparse error: invalid HTTP version",
            "room.not_livekit",
            True,
        ),
        ("client error: 403 Forbidden - parley-guard-not-allowed", "transport.url_not_allowed", True),
        (
            "transport connection error: Proxy connection failed: HTTP/1.1 403 parley-guard-flooded",
            "room.flood",
            True,
        ),
        ("client error: 403 Forbidden - parley-guard-no-such-name", "room.name_unresolved", True),
        ("server error: 502 Bad Gateway - parley-guard-unresolved", "room.name_unresolved", False),
        ("server error: 502 Bad Gateway - parley-guard-refused", "room.refused", False),
        ("server error: 502 Bad Gateway - parley-guard-unreachable", "room.unreachable", False),
        ("transport timed out", "room.join_timeout", False),
        ("something new", "room.join_failure", False),
    ],
)
def test_every_answer_has_its_code_and_none_of_its_text(text: str, code: str, final: bool) -> None:
    """Texts as SDK 1.2.1 makes them (measured); the registry's help does not repeat the message."""
    error = join_error("engine: signal failure: " + text.format(token=TOKEN))
    assert (error.code, error.final) == (code, final)
    assert TOKEN not in str(error)
    assert not {"hello", "abc"} & {*str(error).split()}
    assert error.message[:24].lower() not in CODES[code].help.lower()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("invalid token: {token}, error: token signature is invalid: signature is invalid", "not signed with"),
        ("invalid API key: nokey", "does not know the API key"),
        ("invalid token: {token}, error: token has invalid claims: token is expired", "has expired"),
        ("invalid token: {token}, error: token has invalid claims: token is not valid yet", "not valid yet"),
        ("permissions denied", "lets nobody join"),
        ("invalid authorization token", "refused the worker token"),
    ],
)
def test_a_refused_token_is_told_why(said: str, told: str) -> None:
    """As livekit-server 1.13.5 says it (measured)."""
    error = join_error("engine: signal failure: client error: 401 Unauthorized - " + said.format(token=TOKEN))
    assert error.code == "worker_token.rejected"
    assert told in error.message
    assert "nokey" not in error.message
