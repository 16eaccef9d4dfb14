"""`GET /v1/usage/verification`: bills computed again, for those who pay."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import text

from sessions.ids import format_id, new_uuid
from tests.support.running.api_server import ApiServer

_ROW = text(
    "INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, from_ms, to_ms, quality, multiplier,"
    " credits, agent_id, recorded_at) VALUES (:id, :session_id, :organization_id, 1, 'final', 0, 60000, 'standard', 1,"
    " :credits, :agent_id, :at)"
)
_MARCH = {"period_start": "2026-03-01", "period_end": "2026-04-01"}
_BEGUN = datetime(2026, 3, 1, tzinfo=UTC)


async def _bill(
    api: ApiServer,
    credits: str = "60.000",
    *,
    organization: str = "default",
    agent_id: str = "agent_a",
    at: datetime = _BEGUN,
) -> str:
    """A minute of an erased session, recorded at that time; the session's id."""
    principal, _ = await api.dependencies.api_keys.create(organization)
    session_id: UUID = new_uuid()
    values = {"organization_id": principal.organization_id, "agent_id": agent_id, "credits": Decimal(credits), "at": at}
    async with api.dependencies.db.begin() as conn:
        await conn.execute(_ROW, {"id": new_uuid(), "session_id": session_id, **values})
    return format_id("sess", session_id)


async def _verify(api: ApiServer, key: str | None = None, **query: Any) -> dict[str, Any]:
    more = {} if key is None else {"key": key}
    reply = await api.call("GET", f"/v1/usage/verification?{urlencode({**_MARCH, **query})}", **more)
    assert reply.status == 200, reply.content
    return dict(reply.content)


async def test_a_wrong_row_is_named_with_what_it_should_be(api: ApiServer) -> None:
    """The other bills are counted, and those of other months are not."""
    await _bill(api)
    wrong = await _bill(api, "61.000")
    await _bill(api, "1.000", at=datetime(2026, 4, 1, tzinfo=UTC))

    found = await _verify(api)

    assert found == {
        "object": "usage_verification",
        "period": {
            "start": "2026-03-01T00:00:00.000Z",
            "end": "2026-04-01T00:00:00.000Z",
            "time_zone": "UTC",
            "as_of": "2026-04-01T00:00:00.000Z",
            "complete": True,
        },
        "sessions": 2,
        "running": 0,
        "balances": False,
        "unbalanced": [
            {
                "session_id": wrong,
                "milliseconds": 60_000,
                "credits": "61.000",
                "recomputed_credits": "60.000",
                "imbalances": ["row 1 says 61.000 credits, but 60.000 s × 1.000 are 60.000"],
            }
        ],
        "has_more": False,
        "next_cursor": None,
    }


async def test_pages_have_each_bill_once(api: ApiServer) -> None:
    """Until has_more is false, however few are on a page; what is wrong is on one of them."""
    moments = [_BEGUN + timedelta(microseconds=number) for number in range(7)]
    for moment in moments:
        await _bill(api, at=moment)
    wrong = await _bill(api, "0.000", at=moments[-1] + timedelta(days=1))

    pages = [await _verify(api, limit=3)]
    while pages[-1]["has_more"]:
        pages.append(await _verify(api, limit=3, after=pages[-1]["next_cursor"]))

    assert [page["sessions"] for page in pages] == [3, 3, 2]
    assert [page["balances"] for page in pages] == [True, True, False]
    assert [bill["session_id"] for page in pages for bill in page["unbalanced"]] == [wrong]


async def test_it_is_about_ones_own_bills(api: ApiServer) -> None:
    """Not about another organization's, and an agent's key sees its agent's."""
    own = await _bill(api, "1.000")
    others_agent = await _bill(api, "2.000", agent_id="agent_b")
    stranger = await _bill(api, "3.000", organization="other")
    _, foreign = await api.dependencies.api_keys.create("other")
    body = {"kind": "agent", "agent_id": "agent_a", "scopes": ["usage:read"]}
    agents = (await api.call("POST", "/v1/api_keys", body)).content["key"]

    async def wrong(key: str | None) -> list[str]:
        return sorted(bill["session_id"] for bill in (await _verify(api, key))["unbalanced"])

    assert await wrong(None) == sorted([own, others_agent])
    assert await wrong(foreign.get_secret_value()) == [stranger]
    assert await wrong(agents) == [own]


async def test_a_session_without_any_row_is_found(api: ApiServer) -> None:
    """It ran and is over, and owes a final row."""
    session = await api.create("room")
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "UPDATE sessions SET status = 'ended', started_at = :at, ending_at = :at, ended_at = :at,"
                " finished_at = :at, recording_state = 'none', end_reason = 'end.requested'"
            ),
            {"at": _BEGUN},
        )

    [bill] = (await _verify(api))["unbalanced"]

    assert (bill["session_id"], bill["imbalances"]) == (session["id"], ["the session is over, but no row is final"])


async def test_a_month_that_goes_on_is_checked_up_to_now(api: ApiServer) -> None:
    """Without what was recorded in the last half minute, and the answer says so."""
    now = datetime.now(UTC)
    await _bill(api, "1.000", at=now)
    reply = await api.call("GET", "/v1/usage/verification")
    assert (reply.status, reply.content["sessions"], reply.content["period"]["complete"]) == (200, 0, False)


async def test_what_is_no_period_and_no_place_is_refused(api: ApiServer) -> None:
    """As for the sums."""
    for query, param in [
        ("period_start=2026-01-01", "period_end"),
        ("period_start=2025-01-01&period_end=2026-12-01", "period_end"),
        ("after=x", "after"),
        ("limit=1001", "limit"),
    ]:
        reply = await api.call("GET", f"/v1/usage/verification?{query}")
        assert (reply.status, reply.code, reply.content["error"]["param"]) == (422, "parameter.invalid", param), query
