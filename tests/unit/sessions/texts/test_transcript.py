"""Who said what, in the order of time."""

import dataclasses

import pytest

from sessions.texts.transcript import Transcript, TranscriptSegment
from sessions.texts.transcript_document import transcript_document


def segment(**changes: object) -> TranscriptSegment:
    """A word of Ann's."""
    ann = TranscriptSegment(7, "Ann", "ann", "user", "yes", 10, 900, True, 0.5, None, "speech")
    return dataclasses.replace(ann, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("speaker", "identity", "who"),
    [("Ann\n Lee ", "ann", "Ann Lee"), (" \n", "a\tb", "a b"), (None, None, "user"), ("", "", "user")],
)
def test_a_speaker_is_named_in_one_line(speaker: str | None, identity: str | None, who: str) -> None:
    """By name, else by identity, else by role."""
    assert segment(speaker=speaker, identity=identity).who == who


def test_the_document_has_every_field_by_its_name() -> None:
    """A segment's members are those of the value; an error is there when there is one."""
    transcript = Transcript(
        state="incomplete",
        segments=(segment(),),
        sha256="00",
        engine="openai",
        model="m",
        language="en",
        code="speech.failed",
        message="why",
    )
    document = transcript_document("sess_1", transcript)

    assert document == {
        "object": "transcript",
        "session_id": "sess_1",
        "status": "incomplete",
        "version": 1,
        "engine": "openai",
        "model": "m",
        "language": "en",
        "error": {"code": "speech.failed", "message": "why"},
        "segments": [dataclasses.asdict(segment())],
    }
    assert transcript_document("sess_1", Transcript(state="open", segments=(), sha256="00"))["error"] is None
