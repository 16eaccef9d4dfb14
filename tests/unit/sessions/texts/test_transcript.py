"""Who said what, in the order of time."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.texts.transcript import Transcript, TranscriptSegment, in_time_order
from sessions.texts.transcript_document import transcript_document


def segment(**changes: object) -> TranscriptSegment:
    """A word of Ann's."""
    ann = TranscriptSegment(7, "Ann", "ann", "user", "yes", 10, 900, True, 0.5, None, "speech")
    return dataclasses.replace(ann, **changes)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 3), max_size=8))
def test_what_began_at_once_stays_in_the_logs_order(starts: list[int]) -> None:
    """By start, then by place in the log."""
    segments = [segment(seq=seq, start_ms=start) for seq, start in enumerate(starts)]
    expected = sorted((start, seq) for seq, start in enumerate(starts))

    assert [(one.start_ms, one.seq) for one in in_time_order(segments[::-1])] == expected


@pytest.mark.parametrize(
    ("speaker", "identity", "who"),
    [("Ann\n Lee ", "ann", "Ann Lee"), (" \n", "a\tb", "a b"), (None, None, "user"), ("", "", "user")],
)
def test_a_speaker_is_named_in_one_line(speaker: str | None, identity: str | None, who: str) -> None:
    """By name, else by identity, else by role."""
    assert segment(speaker=speaker, identity=identity).who == who


def test_the_document_has_every_field_by_its_name() -> None:
    """A segment's members are those of the value; an error is there when there is one."""
    transcript = Transcript("incomplete", (segment(),), "00", "openai", "m", "en", "speech.failed", "why")
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
    assert transcript_document("sess_1", Transcript("open", (), "00"))["error"] is None
