"""`parley usage verify`: recompute the bill from the ledger, and say whether it balances."""

import argparse
import asyncio
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from parley.command_error import CommandError
from parley.installation.installation import Installation, open_existing_installation
from parley.installation.logging import configure_logging
from parley.installation.schema_check import checked_database
from parley.installation.settings_loading import load_settings
from sessions.billing.billing_period import MONTH_WORDS, Period, month_of, read_edge, time_zone
from sessions.billing.checking.sentences import seconds
from sessions.errors import ParleyError
from sessions.ids import format_id, parse_id
from sessions.texts.timestamps import format_timestamp
from store.access.organizations import organization_names
from store.database.database import Database
from store.usage.audit import LedgerAudit
from store.usage.totals import UsageTotals
from store.usage.verification import BillVerifier, Verified

# Of one transaction: requests of the API are bounded more tightly.
_DATABASE_SECONDS = 30.0
# Exit codes as diff has them, so that an alert can tell them apart.
_BALANCES, _DOES_NOT_BALANCE, _NOT_CHECKED = 0, 1, 2


def run_usage(arguments: argparse.Namespace) -> int:
    """Print the result; 0 when every session balances, 1 when one doesn't.

    Raises:
        CommandError: nothing was checked (exit code 2): there is no such organization or session, nothing was ever
            billed, the period or the id is none, the schema is old, or the database is away.
    """
    try:
        settings = load_settings()
        configure_logging(settings.log_level, process="usage")
        return asyncio.run(_run(open_existing_installation(settings), arguments))
    except CommandError as error:
        raise CommandError(str(error), exit_code=_NOT_CHECKED) from error
    except ParleyError as error:
        raise CommandError(error.message, exit_code=_NOT_CHECKED) from error


async def _run(installation: Installation, arguments: argparse.Namespace) -> int:
    async with checked_database(installation, "parley-usage", least_seconds=_DATABASE_SECONDS) as db:
        balances = await (_verify_session if arguments.session else _verify_period)(db, arguments)
    return _BALANCES if balances else _DOES_NOT_BALANCE


async def _verify_session(db: Database, arguments: argparse.Namespace) -> bool:
    session_id = parse_id("sess", arguments.session, param="--session")
    organization_id = await LedgerAudit(db).organization_of(session_id)
    names = await organization_names(db)
    if organization_id is None or arguments.organization not in (None, names.get(organization_id)):
        raise CommandError("there is no such session, and no bill of one")
    found = await BillVerifier(db).verify_session(organization_id, session_id)
    _print_complaints(found)
    words = "is still running; its rows so far balance" if found.running and not found.unbalanced else None
    words = words or ("does NOT balance" if found.unbalanced else "balances")
    print(f"{format_id('sess', session_id)} {words}: {_amount(found.milliseconds, found.credits)}.")
    return not found.unbalanced


async def _verify_period(db: Database, arguments: argparse.Namespace) -> bool:
    period = await _period(db, arguments)
    names = await organization_names(db)
    if arguments.organization is not None and arguments.organization not in names.values():
        raise CommandError(f"there is no organization {arguments.organization!r}")
    print(f"Period {format_timestamp(period.start)} to {format_timestamp(period.end)} ({arguments.time_zone})")
    verified = [
        await _verify_organization(db, organization_id, name, period)
        for organization_id, name in names.items()
        if arguments.organization in (None, name)
    ]
    if not any(found.checked for found in verified) and await LedgerAudit(db).is_empty():
        raise CommandError("nothing was ever billed, so nothing was checked")
    all_balance = not any(found.unbalanced for found in verified)
    print("Every session balances." if all_balance else "The bill does NOT balance.")
    return all_balance


async def _verify_organization(db: Database, organization_id: UUID, name: str, period: Period) -> Verified:
    found = await BillVerifier(db).verify(organization_id, period)
    report = await UsageTotals(db).report(organization_id, lambda _now: period)
    print(f"\n{name}: {_amount(report.totals.milliseconds, report.totals.credits)}")
    if not report.complete:
        print(f"  as of {format_timestamp(report.as_of)}: the period is not over, more may come")
    print(f"  {_sessions(found.balanced, 'balance')}, {found.running} of them still running")
    if found.unbalanced:
        print(f"  {_sessions(len(found.unbalanced), 'fail')} to balance:")
        _print_complaints(found)
    return found


def _print_complaints(found: Verified) -> None:
    for session_id, imbalance in found.unbalanced.items():
        for sentence in imbalance.sentences:
            print(f"    {format_id('sess', session_id)}: {sentence}")


def _amount(milliseconds: int, credits: Decimal) -> str:
    return f"{seconds(milliseconds)}, {credits:.3f} credits"


def _sessions(number: int, verb: str) -> str:
    return f"1 session {verb}s" if number == 1 else f"{number} sessions {verb}"


async def _period(db: Database, arguments: argparse.Namespace) -> Period:
    try:
        zone = time_zone(arguments.time_zone)
    except ValueError as problem:
        raise CommandError(f"--time-zone {problem}") from None
    start, end = arguments.period_start, arguments.period_end
    if start is None and end is None:
        async with db.begin() as conn:
            now = (await conn.execute(select(func.now()))).scalar_one()
        return month_of(arguments.period or MONTH_WORDS[0], now, zone)
    if arguments.period is not None or start is None or end is None:
        raise CommandError("give --period, or both --period-start and --period-end")
    try:
        period = Period(read_edge(start, zone), read_edge(end, zone))
    except ValueError as problem:
        raise CommandError(f"--period-start and --period-end {problem}") from None
    if period.start >= period.end:
        raise CommandError("--period-end must be after --period-start")
    return period
