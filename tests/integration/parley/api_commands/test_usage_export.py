"""`parley usage export`: the rows of the bill, as the API serves them, and what they add up to."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from sessions.ids import new_uuid, parse_id
from tests.support.running.api_server import ApiServer
from tests.support.running.customer_shell import CustomerShell

DAY = datetime(2026, 9, 10, tzinfo=UTC)


async def _bill(api: ApiServer, room: str, rows: int, first: datetime) -> str:
    """A session with `rows` rows of 10 ms, one a day."""
    session_id = str((await api.create(room, external_customer_id='=HYPERLINK("x"), y'))["id"])
    async with api.dependencies.db.begin() as conn:
        for number in range(rows):
            await conn.execute(
                text(
                    "INSERT INTO usage_events SELECT :id, id, organization_id, 1, :kind, :start, :end, quality,"
                    " multiplier, round((:end - :start) * multiplier / 1000, 3), agent_id, external_customer_id,"
                    " :at FROM sessions WHERE id = :session"
                ),
                {
                    "id": new_uuid(),
                    "kind": "final" if number == rows - 1 else "accrual",
                    "start": number * 10,
                    "end": number * 10 + 10,
                    "at": first + timedelta(days=number),
                    "session": parse_id("sess", session_id),
                },
            )
    return session_id


async def test_a_periods_rows_are_exported_in_both_formats(
    api: ApiServer, shell: CustomerShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, one head line, only rows of the period, and their sum is the bill's."""
    monkeypatch.setattr("parley.api_commands.usage_export.LONGEST_PAGE", 2)
    session_id = await _bill(api, "room", 7, DAY)
    period = ("--period-start", "2026-09-11", "--period-end", "2026-09-15")
    as_csv = await shell.run("usage", "export", *period)
    rows = list(csv.DictReader(io.StringIO(as_csv.out)))
    assert [row["from_ms"] for row in rows] == ["10", "20", "30", "40"]
    assert {row["external_customer_id"] for row in rows} == {'\'=HYPERLINK("x"), y'}  # no formula for a spreadsheet
    assert as_csv.err == "4 rows, 0.040 credits: all that 2026-09-11T00:00:00.000Z to 2026-09-15T00:00:00.000Z costs\n"
    as_json = await shell.run("usage", "export", *period, "--format", "json")
    assert [row["id"] for row in as_json.documents] == [row["id"] for row in rows]
    of_session = await shell.run("usage", "export", "--session", session_id, "--format", "json")
    assert [row["from_ms"] for row in of_session.documents] == list(range(0, 70, 10))
    this_month = await shell.run("usage", "export")
    assert (this_month.out, "the period is not over" in this_month.err) == ("", True)


async def test_rows_that_do_not_add_up_are_an_error(
    api: ApiServer, shell: CustomerShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever bills from an export learns that it isn't whole."""
    await _bill(api, "room", 3, DAY)
    served = type(api.dependencies.ledger).events

    async def one_less(*arguments: object, **more: object) -> object:
        rows, _ = await served(*arguments, **more)  # type: ignore[arg-type]
        return rows[:-1], False

    monkeypatch.setattr(type(api.dependencies.ledger), "events", one_less)
    spoilt = await shell.run("usage", "export", "--period-start", "2026-09-01", "--period-end", "2026-10-01")
    assert (spoilt.exit_code, "do NOT add up" in spoilt.err) == (1, True)


async def test_arguments_that_do_not_fit_together_are_refused(shell: CustomerShell) -> None:
    """By the command, or by the API in its words."""
    both = await shell.run("usage", "export", "--session", "sess_x", "--period-start", "2026-09-01")
    assert both.exit_code == 2
    half = await shell.run("usage", "export", "--period-start", "2026-09-01")
    assert (half.exit_code, half.err.split()[1]) == (1, "parameter.invalid:")
