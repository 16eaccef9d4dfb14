"""A transcript as subtitles and as plain text: WebVTT (W3C), SubRip, one line per segment. Written page by page."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from sessions.texts.transcript import TranscriptSegment, Unheard

_UNHEARD: dict[Unheard, str] = {"not_understood": "[not understood]"}
_LEAST_CUE_MS = 1000  # a message has no length, a cue must


class TextWriter(Protocol):
    """Writes one transcript, from its beginning to its end."""

    head: str

    def page(self, segments: Sequence[TranscriptSegment]) -> str:
        """What follows."""


class WebVtt:
    """WebVTT; the speaker is in the cue's voice span."""

    head = "WEBVTT\n"

    def page(self, segments: Sequence[TranscriptSegment]) -> str:
        """A cue per segment."""
        return "".join(
            f"\n{segment.seq}\n{_time(start, '.')} --> {_time(end, '.')}\n"
            f"<v {_escaped(segment.who)}>{_escaped(_line(segment))}\n"
            for segment, start, end in _cues(segments)
        )


class SubRip:
    """SubRip; cues count from 1."""

    head = ""

    def __init__(self) -> None:
        self._written = 0

    def page(self, segments: Sequence[TranscriptSegment]) -> str:
        """A cue per segment."""
        cues = []
        for segment, start, end in _cues(segments):
            blank = "\n" if self._written else ""
            self._written += 1
            times = f"{_time(start, ',')} --> {_time(end, ',')}"
            cues.append(f"{blank}{self._written}\n{times}\n{segment.who}: {_line(segment)}\n")
        return "".join(cues)


class PlainText:
    """`[00:01:02] who: text`, a line each."""

    head = ""

    def page(self, segments: Sequence[TranscriptSegment]) -> str:
        """A line per segment."""
        return "".join(
            f"[{_time(segment.start_ms, '.').partition('.')[0]}] {segment.who}: {_line(segment)}\n"
            for segment in segments
            if _is_shown(segment)
        )


def _cues(segments: Sequence[TranscriptSegment]) -> Iterator[tuple[TranscriptSegment, int, int]]:
    for segment in segments:
        if _is_shown(segment):
            yield segment, segment.start_ms, max(segment.end_ms, segment.start_ms + _LEAST_CUE_MS)


def _is_shown(segment: TranscriptSegment) -> bool:
    return segment.reason is not None or bool(segment.text.strip())


def _line(segment: TranscriptSegment) -> str:
    """In one line: an empty one would end the cue."""
    return _UNHEARD[segment.reason] if segment.reason is not None else " ".join(segment.text.split())


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(milliseconds: int, mark: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{rest:03d}"
