"""A transcript as subtitles and as plain text: WebVTT (W3C), SubRip, one line per segment."""

from collections.abc import Sequence

from sessions.texts.transcript import TranscriptSegment, Unheard

_UNHEARD: dict[Unheard, str] = {"not_understood": "[not understood]"}
_LEAST_CUE_MS = 1000  # a message has no length, a cue must


def web_vtt(segments: Sequence[TranscriptSegment]) -> str:
    """WebVTT; the speaker is in the cue's voice span."""
    cues = [
        f"{segment.seq}\n{_time(start, '.')} --> {_time(end, '.')}\n"
        f"<v {_escaped(segment.who)}>{_escaped(_line(segment))}\n"
        for segment, start, end in _cues(segments)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def sub_rip(segments: Sequence[TranscriptSegment]) -> str:
    """SubRip; cues count from 1."""
    cues = [
        f"{number}\n{_time(start, ',')} --> {_time(end, ',')}\n{segment.who}: {_line(segment)}\n"
        for number, (segment, start, end) in enumerate(_cues(segments), start=1)
    ]
    return "\n".join(cues)


def plain_text(segments: Sequence[TranscriptSegment]) -> str:
    """`[00:01:02] who: text`, a line each."""
    return "".join(
        f"[{_time(segment.start_ms, '.').partition('.')[0]}] {segment.who}: {_line(segment)}\n"
        for segment in segments
        if _is_shown(segment)
    )


def _cues(segments: Sequence[TranscriptSegment]) -> list[tuple[TranscriptSegment, int, int]]:
    return [
        (segment, segment.start_ms, max(segment.end_ms, segment.start_ms + _LEAST_CUE_MS))
        for segment in segments
        if _is_shown(segment)
    ]


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
