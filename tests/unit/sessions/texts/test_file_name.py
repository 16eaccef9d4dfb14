"""Names of files: what a title says, as far as file systems and headers take it."""

from datetime import UTC, datetime
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.texts.file_name import content_disposition, recording_file_name

AT = datetime(2026, 11, 29, 23, 25, 33, tzinfo=UTC)


@pytest.mark.parametrize(
    ("title", "identity", "expected"),
    [
        ("Call with Ann", None, "Call with Ann 2026-11-29 23.25.wav"),
        (None, None, "Conversation 2026-11-29 23.25.wav"),
        ("..", "bob", "Conversation 2026-11-29 23.25 bob.wav"),
        ("../../etc/passwd", None, "etc passwd 2026-11-29 23.25.wav"),
        ('a"b\r\nSet-Cookie: x', None, "a b Set-Cookie x 2026-11-29 23.25.wav"),
        ("Ärger 😀", "a/b", "Ärger 😀 2026-11-29 23.25 a b.wav"),
    ],
)
def test_a_file_is_called_by_title_and_date(title: str | None, identity: str | None, expected: str) -> None:
    """Without what would be a path, a header or nothing."""
    assert recording_file_name(title, AT, "wav", identity) == expected
    assert recording_file_name("a", None, "opus") == "a.opus"


@given(st.text(max_size=300), st.none() | st.text(max_size=300))
def test_any_title_makes_a_name_and_a_header(title: str, identity: str | None) -> None:
    """One line of ASCII, from which a client reads the same name."""
    name = recording_file_name(title, AT, "mp3", identity)
    assert name.endswith(".mp3")
    assert not set(name) & set('/\\:*?"<>|%\r\n\0')
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    message = Message()
    message["Content-Disposition"] = header
    if name.isascii():
        assert message.get_filename() == name
    else:
        assert header.count("filename*=UTF-8''") == 1
