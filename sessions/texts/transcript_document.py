"""A transcript as JSON: what the API answers and what `conversation.json` holds."""

from typing import Any

from sessions.texts.transcript import Transcript, TranscriptHead, TranscriptSegment


def transcript_document(session_name: str, transcript: Transcript) -> dict[str, Any]:
    """The document of the session `sess_…`: plain JSON values."""
    segments = [segment_document(segment) for segment in transcript.segments]
    return {**head_document(session_name, transcript), "segments": segments}


def head_document(session_name: str, head: TranscriptHead) -> dict[str, Any]:
    """The document without its segments."""
    return {
        "object": "transcript",
        "session_id": session_name,
        "version": head.version,
        "status": head.state,
        "engine": head.engine,
        "model": head.model,
        "language": head.language,
        "error": None if head.code is None else {"code": head.code, "message": head.message},
    }


def segment_document(segment: TranscriptSegment) -> dict[str, Any]:
    """One of its segments."""
    return {
        "seq": segment.seq,
        "speaker": segment.speaker,
        "identity": segment.identity,
        "role": segment.role,
        "text": segment.text if segment.reason is None else None,
        "reason": segment.reason,
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "final": segment.final,
        "confidence": segment.confidence,
        "words": segment.words,
        "source": segment.source,
    }
