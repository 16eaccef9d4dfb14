"""Messages of a session's stream that are no events: what was just said or written, and how loud it is.

They are in no log, have no id, and no webhook carries one: who was away reads the transcript. Their types begin with
`live.`, which no event's does.
"""

import json
from typing import Any

from sessions.ids import format_id
from sessions.texts.timestamps import format_timestamp
from sessions.texts.transcript import TranscriptSegment
from sessions.texts.transcript_document import segment_document
from store.outputs.live_view import Moment

LIVE_SEGMENT = "live.segment"
LIVE_LEVEL = "live.level"


def segment_message(session_name: str, segment: TranscriptSegment) -> bytes:
    """A segment of the transcript of the session `sess_…`, as a stream has it."""
    return _framed(
        LIVE_SEGMENT, {"object": "transcript_segment", "session_id": session_name, **segment_document(segment)}
    )


def level_message(moment: Moment) -> bytes:
    """What the last beat brought, as a stream has it."""
    return _framed(
        LIVE_LEVEL,
        {
            "object": "live_level",
            "session_id": format_id("sess", moment.session_id),
            "peak_dbfs": moment.peak_dbfs,
            "billable_ms": moment.billable_ms,
            "frames": moment.frames,
            "as_of": format_timestamp(moment.as_of),
        },
    )


def _framed(type_: str, document: dict[str, Any]) -> bytes:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return f"event: {type_}\ndata: {text}\n\n".encode()
