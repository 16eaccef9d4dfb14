"""Examples of transcripts and summaries for the OpenAPI document."""

from typing import Any

from control_api.http.answers.examples import SESSION_ID, TIME

TRANSCRIPT: dict[str, Any] = {
    "object": "transcript",
    "session_id": SESSION_ID,
    "version": 1,
    "status": "available",
    "engine": "moonshine",
    "model": "tiny-en",
    "language": "en",
    "error": None,
    "segments": [
        {
            "seq": 1,
            "speaker": "Alice",
            "identity": "alice",
            "role": "user",
            "text": "Can you hear me?",
            "reason": None,
            "start_ms": 2010,
            "end_ms": 3010,
            "final": True,
            "confidence": 0.8654,
            "words": None,
            "source": "speech",
        },
        {
            "seq": 2,
            "speaker": "Bob",
            "identity": "bob",
            "role": "user",
            "text": None,
            "reason": "not_understood",
            "start_ms": 3900,
            "end_ms": 5200,
            "final": True,
            "confidence": None,
            "words": None,
            "source": "speech",
        },
    ],
}

SUMMARY_CONTENT: dict[str, Any] = {
    "title": "Only Postgres, and it brings one along",
    "summary": "alice: Only Postgres, and it brings one along. bob: Good. Then let us hang up, and look at the file.",
    "key_points": ["Only Postgres, and it brings one along."],
    "action_items": ["bob: Then let us hang up, and look at the file."],
    "participants": [{"identity": "alice", "speaker": "Alice", "role": "user"}],
    "talk_time_ms": {"alice": 6170},
    "language": "en",
    "engine": "extractive",
    "model": "lexrank",
    "transcript_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
RUN_ID = "run_01KB2F9XG4Q4V9M7T8Y6R3N1C0"

TRANSCRIPT_RUN: dict[str, Any] = {
    "object": "transcript_run",
    "session_id": SESSION_ID,
    "run_id": RUN_ID,
    "status": "generating",
    "version": 2,
    "engine": "openai",
    "language": "en",
    "audio": None,
    "requested_at": TIME,
    "finished_at": None,
    "error": None,
}

SUMMARY: dict[str, Any] = {
    "object": "summary",
    "session_id": SESSION_ID,
    "status": "available",
    "workflow_id": f"summary-{SESSION_ID}",
    "run_id": RUN_ID,
    "is_current": True,
    "requested_at": TIME,
    "finished_at": "2026-11-22T02:37:59.004Z",
    "error": None,
    "content": SUMMARY_CONTENT,
}

GENERATING_SUMMARY: dict[str, Any] = {
    **SUMMARY,
    "status": "generating",
    "is_current": False,
    "finished_at": None,
    "content": None,
}
