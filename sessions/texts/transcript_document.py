"""A transcript as JSON: what the API answers and what `conversation.json` holds."""

from typing import Any

from sessions.texts.transcript import Transcript, TranscriptSegment


def transcript_document(session_name: str, transcript: Transcript) -> dict[str, Any]:
    """The document of the session `sess_…`: plain JSON values."""
    return {
        "object": "transcript",
        "session_id": session_name,
        "version": transcript.version,
        "status": transcript.state,
        "engine": transcript.engine,
        "model": transcript.model,
        "language": transcript.language,
        "error": None if transcript.code is None else {"code": transcript.code, "message": transcript.message},
        "segments": [_segment(segment) for segment in transcript.segments],
    }


def _segment(segment: TranscriptSegment) -> dict[str, Any]:
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
