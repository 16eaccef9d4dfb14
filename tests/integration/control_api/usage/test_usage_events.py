"""`GET /v1/usage/events`: the bill as JSON, CSV and NDJSON."""

import csv
import io
import json

from sqlalchemy import text

from sessions.ids import new_uuid, parse_id
from tests.support.running.api_server import ApiServer


async def _bill(api: ApiServer, *ranges: tuple[int, int], age_seconds: int = 60) -> str:
    """A session with these ledger rows, the last one final."""
    session = await api.create(f"room-{ranges[0]}-{age_seconds}", external_customer_id='c"1", x')
    session_id = parse_id("sess", session["id"])
    async with api.dependencies.db.begin() as conn:
        for start, end in ranges:
            await conn.execute(
                text(
                    "INSERT INTO usage_events SELECT :id, id, organization_id, 1, :kind, :start, :end, quality,"
                    " multiplier, round((:end - :start) * multiplier / 1000, 3), agent_id, external_customer_id,"
                    " clock_timestamp() - make_interval(secs => :age) FROM sessions WHERE id = :session"
                ),
                {
                    "id": new_uuid(),
                    "kind": "final" if (start, end) == ranges[-1] else "accrual",
                    "start": start,
                    "end": end,
                    "age": age_seconds,
                    "session": session_id,
                },
            )
    return str(session["id"])


async def test_rows_have_the_contracts_fields_and_exact_decimals(api: ApiServer) -> None:
    """No floats anywhere."""
    session_id = await _bill(api, (0, 60_012))
    page = (await api.call("GET", f"/v1/usage/events?session_id={session_id}")).content
    row = page["data"][0]
    assert row == {
        "id": row["id"],
        "object": "usage_event",
        "session_id": session_id,
        "epoch": 1,
        "kind": "final",
        "code": None,
        "from_ms": 0,
        "to_ms": 60_012,
        "milliseconds": 60_012,
        "quality": "standard",
        "multiplier": "1.000",
        "credits": "60.012",
        "external_customer_id": 'c"1", x',
        "recorded_at": row["recorded_at"],
    }
    assert row["id"].startswith("ue_")
    assert (page["has_more"], page["next_cursor"]) == (False, None)


async def test_pages_are_oldest_first_and_linked(api: ApiServer) -> None:
    """after and limit, of the organization and of one session."""
    session_id = await _bill(api, (0, 10), (10, 20), (20, 30))
    for query in ("limit=2", f"limit=2&session_id={session_id}"):
        first = await api.call("GET", f"/v1/usage/events?{query}")
        assert [row["from_ms"] for row in first.content["data"]] == [0, 10]
        assert first.content["next_cursor"] == first.content["data"][-1]["id"]
        following = first.headers["Link"].partition(">")[0][1:]
        rest = await api.call("GET", following)
        assert [row["from_ms"] for row in rest.content["data"]] == [20]
        assert rest.content["has_more"] is False


async def test_organization_wide_pages_end_before_now(api: ApiServer) -> None:
    """A fresh row is seen by session at once, by the tail later."""
    session_id = await _bill(api, (0, 10), age_seconds=0)
    assert (await api.call("GET", "/v1/usage/events")).content["data"] == []
    assert len((await api.call("GET", f"/v1/usage/events?session_id={session_id}")).content["data"]) == 1


async def test_csv_and_ndjson_say_the_same_as_json(api: ApiServer) -> None:
    """By Accept, with quoting."""
    await _bill(api, (0, 10), (10, 20))
    rows = (await api.call("GET", "/v1/usage/events")).content["data"]
    lines = await api.call("GET", "/v1/usage/events", headers={"Accept": "application/x-ndjson"})
    assert lines.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert [json.loads(line) for line in lines.body.splitlines()] == rows
    table = await api.call("GET", "/v1/usage/events", headers={"Accept": "text/csv;q=0.9, application/json;q=0.1"})
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    read = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
    assert read == [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    for accept in ("*/*", "", "application/*", "text/*;q=0, */*"):
        reply = await api.call("GET", "/v1/usage/events", headers={"Accept": accept})
        assert reply.headers["Content-Type"].startswith("application/json"), accept


async def test_every_form_pages_by_its_link(api: ApiServer) -> None:
    """A reader that follows Link, rel="next", gets each row once, in order, and stops."""
    await _bill(api, *((at, at + 10) for at in range(0, 70, 10)))
    rows = (await api.call("GET", "/v1/usage/events?limit=100")).content["data"]
    for media_type in ("application/json", "application/x-ndjson", "text/csv"):
        read: list[str] = []
        path, pages = "/v1/usage/events?limit=3", 0
        while path:
            reply = await api.call("GET", path, headers={"Accept": media_type})
            assert (reply.status, reply.headers["Vary"]) == (200, "Accept")
            if media_type == "application/json":
                read += [row["id"] for row in reply.content["data"]]
            elif media_type == "text/csv":
                read += [row["id"] for row in csv.DictReader(io.StringIO(reply.body.decode(), newline=""))]
            else:
                read += [json.loads(line)["id"] for line in reply.body.splitlines()]
            path, pages = reply.headers.get("Link", "").partition(">")[0][1:], pages + 1
        assert (read, pages) == ([row["id"] for row in rows], 3), media_type


async def test_what_it_cannot_serve_is_406(api: ApiServer) -> None:
    """In the envelope, which is JSON all the same."""
    for accept in ("application/xml", "text/csv;q=0", "text/csv;q=x"):
        reply = await api.call("GET", "/v1/usage/events", headers={"Accept": accept})
        assert (reply.status, reply.code) == (406, "not_acceptable"), accept


async def test_what_is_given_back_is_negative_and_names_its_code(api: ApiServer) -> None:
    """In every form; a spreadsheet reads a number, and the sums of the period are without it."""
    session_id = await _bill(api, (0, 60_000))
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, code, from_ms, to_ms, quality,"
                " multiplier, credits, agent_id, recorded_at) SELECT gen_random_uuid(), session_id, organization_id,"
                " 1, 'credit', 'gap.storage', 0, 4500, quality, multiplier, -4.500, agent_id, recorded_at"
                " FROM usage_events"
            )
        )

    path = f"/v1/usage/events?session_id={session_id}"
    [credit] = [row for row in (await api.call("GET", path)).content["data"] if row["kind"] == "credit"]
    assert (credit["code"], credit["milliseconds"], credit["credits"]) == ("gap.storage", -4500, "-4.500")
    lines = csv.DictReader(io.StringIO((await api.call("GET", path, headers={"Accept": "text/csv"})).body.decode()))
    assert sum(float(line["credits"]) for line in lines) == 55.5
    totals = (await api.call("GET", "/v1/usage")).content["totals"]
    assert (totals["milliseconds"], totals["credits"]) == (55_500, "55.500")
