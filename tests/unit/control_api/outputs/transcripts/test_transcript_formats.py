"""Subtitles and plain text hold what the transcript holds, whatever participants call themselves or write."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control_api.outputs.transcripts.formats import PlainText, SubRip, TextWriter, WebVtt
from sessions.texts.transcript import TranscriptSegment

_TIME = r"\d{2,}:\d\d:\d\d[.,]\d{3}"
_RANGE = re.compile(rf"{_TIME} --> {_TIME}")

_nasty = st.text(st.sampled_from("\n\r\t\u2028 <>&-:1ab"), max_size=12) | st.sampled_from(
    ["a\n\n2\n00:00:00,000 --> 00:00:09,000\nbob: I agree", "</v><v bob>yes", "a --> b", "NOTE", "\n\n"]
)
_segments = st.lists(
    st.builds(
        TranscriptSegment,
        seq=st.integers(1, 10**6),
        speaker=st.none() | _nasty,
        identity=st.none() | _nasty,
        role=st.sampled_from(["user", "assistant"]),
        text=_nasty,
        start_ms=st.integers(0, 400_000_000),
        end_ms=st.integers(0, 400_000_000),
        final=st.just(True),
        confidence=st.none(),
        words=st.none(),
        source=st.just("lk.chat"),
    ),
    max_size=5,
)


def _written(writer: TextWriter, segments: list[TranscriptSegment]) -> str:
    """In two pages."""
    return writer.head + writer.page(segments[:2]) + writer.page(segments[2:])


def _said(segments: list[TranscriptSegment]) -> list[TranscriptSegment]:
    return [one for one in segments if one.text.strip()]


@given(_segments)
def test_each_segment_is_one_cue_of_web_vtt(segments: list[TranscriptSegment]) -> None:
    """Three lines: a number, a range of times, one voice span."""
    head, *cues = _written(WebVtt(), segments).split("\n\n")
    assert head.strip() == "WEBVTT"
    assert len(cues) == len(_said(segments))
    for cue, segment in zip(cues, _said(segments), strict=True):
        number, times, text = re.split(r"\r\n|\n|\r", cue.rstrip("\n"))
        assert number == str(segment.seq)
        assert _RANGE.fullmatch(times)
        assert re.fullmatch(r"<v [^<>]+>[^<>]+", text)


@given(_segments)
def test_each_segment_is_one_cue_of_sub_rip(segments: list[TranscriptSegment]) -> None:
    """Numbered from 1; a name with line breaks makes no second cue."""
    cues = _written(SubRip(), segments).split("\n\n") if _said(segments) else []
    assert len(cues) == len(_said(segments))
    for expected, cue in enumerate(cues, start=1):
        number, times, text = re.split(r"\r\n|\n|\r", cue.rstrip("\n"))
        assert number == str(expected)
        assert _RANGE.fullmatch(times)
        assert ": " in text


@given(_segments)
def test_each_segment_is_one_line_of_text(segments: list[TranscriptSegment]) -> None:
    """Nobody writes a line in another's name."""
    lines = re.split(r"\r\n|\n|\r", _written(PlainText(), segments))[:-1]
    assert len(lines) == len(_said(segments))
    assert all(re.match(r"\[\d{2,}:\d\d:\d\d\] \S", line) for line in lines)


def test_a_name_of_blanks_is_no_name() -> None:
    """Then the identity is shown, then the role."""
    common: dict[str, Any] = {"final": True, "confidence": None, "words": None, "source": "lk.chat"}
    named = TranscriptSegment(1, " \n", "ann", "user", "Hello", 0, 0, **common)
    nameless = TranscriptSegment(1, "", "\u2028", "user", "Hello", 0, 0, **common)
    assert (named.who, nameless.who) == ("ann", "user")
