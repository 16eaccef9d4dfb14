"""`parley usage export`: the rows of a period's bill, or of one session's, and whether they add up to it."""

import argparse
import csv
import io
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from decimal import Decimal

from parley.api_commands.with_api import with_api
from parley.client.api_client import ApiClient, Resource
from parley.client.sessions import LONGEST_PAGE
from parley.command_error import CommandError
from parley.terminal.printing import say

_MEDIA_TYPES = {"csv": "text/csv", "json": "application/x-ndjson"}
_MONTH = "current_month"


def run_usage_export(arguments: argparse.Namespace) -> int:
    """Print the rows on stdout, oldest first, as the API writes them.

    Raises:
        CommandError: the API refuses, or the rows of a period that is over don't add up to its sums.
    """
    period = {name: value for name in ("period", "period_start", "period_end") if (value := getattr(arguments, name))}
    if arguments.session_id and period:
        raise CommandError("a session's rows are exported whole: leave the period out", exit_code=2)
    write = _csv_writer() if arguments.format == "csv" else _write_json

    async def export(api: ApiClient) -> None:
        if arguments.session_id:
            async for row in _rows(api, arguments.format, {"session_id": arguments.session_id}):
                write(row)
            return
        zone = {"time_zone": arguments.time_zone}
        report = await api.ask("GET", "/v1/usage", params=(period or {"period": _MONTH}) | zone)
        events, credits_ = 0, Decimal(0)
        async for row in _rows_of(report["period"], _rows(api, arguments.format, {})):
            write(row)
            events += 1
            credits_ += Decimal(row["credits"])
        sys.stdout.flush()
        _compare(report, events, credits_)

    with_api(export)
    return 0


async def _rows_of(period: Resource, rows: AsyncIterator[Resource]) -> AsyncIterator[Resource]:
    """Rows are in the order in which they were recorded, so the ones after the period are not asked for.

    Times are texts of one form here, whose order is that of time.
    """
    async for row in rows:
        if row["recorded_at"] >= period["as_of"]:
            return
        if row["recorded_at"] >= period["start"]:
            yield row


async def _rows(api: ApiClient, format_: str, params: Resource) -> AsyncIterator[Resource]:
    read: Callable[[io.StringIO], Iterable[Resource]] = csv.DictReader if format_ == "csv" else _json_lines
    has_more = True
    while has_more:
        page, has_more = await api.text(
            "/v1/usage/events", accept=_MEDIA_TYPES[format_], params=params | {"limit": LONGEST_PAGE}
        )
        for row in read(io.StringIO(page, newline="")):
            yield row
            params = params | {"after": row["id"]}


def _json_lines(text: io.StringIO) -> Iterable[Resource]:
    return map(json.loads, text)


def _write_json(row: Resource) -> None:
    print(json.dumps(row, ensure_ascii=False))


def _csv_writer() -> Callable[[Resource], None]:
    writer = csv.writer(sys.stdout)
    head_is_written = False

    def write(row: Resource) -> None:
        nonlocal head_is_written
        if not head_is_written:
            writer.writerow(row)
            head_is_written = True
        writer.writerow(row.values())

    return write


def _compare(report: Resource, events: int, credits_: Decimal) -> None:
    """A period that is over must add up; of one that goes on, rows may just have been written."""
    period, totals = report["period"], report["totals"]
    if not period["complete"]:
        say(f"{events} rows, {credits_:.3f} credits, as of {period['as_of']}: the period is not over, more may come")
    elif events != totals["events"] or credits_ != Decimal(totals["credits"]):
        raise CommandError(
            f"the rows do NOT add up to the period's sums: {events} rows with {credits_:.3f} credits, "
            f"where {totals['events']} with {totals['credits']} were billed"
        )
    else:
        say(f"{events} rows, {credits_:.3f} credits: all that {period['start']} to {period['end']} costs")
