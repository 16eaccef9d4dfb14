"""`GET /v1/usage/events`: the bill, as JSON, CSV or NDJSON."""

import csv
import io
import re
from collections.abc import Sequence

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.accepted_media_type import accepted_media_type
from control_api.http.requests.call import Call
from control_api.usage.event_models import UsageEvent, UsageEventList
from sessions.ids import format_id
from sessions.texts.timestamps import format_timestamp
from store.usage.ledger import UsageEvent as LedgerRow

JSON = "application/json"
CSV = "text/csv"
NDJSON = "application/x-ndjson"
_FILE_NAMES = {CSV: "usage_events.csv", NDJSON: "usage_events.ndjson"}

# A spreadsheet runs a cell that begins so as a formula (OWASP, CSV injection).
_NUMBER = re.compile(r"-[0-9]+\.[0-9]{3}")  # what is given back
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


async def list_usage_events(call: Call) -> web.StreamResponse:
    """A page of ledger rows, oldest first."""
    media_type = accepted_media_type(call.request.headers, (JSON, CSV, NDJSON))
    rows, has_more = await call.dependencies.ledger.events(
        call.organization_id,
        session_id=call.query["session_id"],
        after=call.query["after"],
        limit=call.query["limit"],
        agent_id=call.agent,
    )
    data = [_present(row) for row in rows]
    page = UsageEventList.of(data, has_more, lambda last: last.id)
    if media_type == JSON:
        answer = json_answer(page)
    else:
        body = _csv(data) if media_type == CSV else b"".join(row.model_dump_json().encode() + b"\n" for row in data)
        answer = web.Response(
            body=body, content_type=media_type, charset="utf-8", headers={"Cache-Control": "private, no-cache"}
        )
        answer.headers["Content-Disposition"] = f'attachment; filename="{_FILE_NAMES[media_type]}"'
    answer.headers["Vary"] = "Accept"
    if page.next_cursor is not None:
        following = call.request.rel_url.update_query(after=page.next_cursor)
        answer.headers["Link"] = f'<{following}>; rel="next"'
    return answer


def _csv(rows: Sequence[UsageEvent]) -> bytes:
    """RFC 4180, with a header line; null is empty; a text that a spreadsheet would run gets an apostrophe before it."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(UsageEvent.model_fields))
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _inert(value) for name, value in row.model_dump().items()})
    return text.getvalue().encode()


def _inert(value: object) -> object:
    runs = isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value)
    return f"'{value}" if runs else value


def _present(row: LedgerRow) -> UsageEvent:
    return UsageEvent.model_validate(
        {
            "id": format_id("ue", row.id),
            "object": "usage_event",
            "session_id": format_id("sess", row.session_id),
            "epoch": row.epoch,
            "kind": row.kind,
            "code": row.code,
            "from_ms": row.from_ms,
            "to_ms": row.to_ms,
            "milliseconds": row.milliseconds,
            "quality": row.quality,
            "multiplier": format(row.multiplier, ".3f"),
            "credits": format(row.credits, ".3f"),
            "external_customer_id": row.external_customer_id,
            "recorded_at": format_timestamp(row.recorded_at),
        }
    )
