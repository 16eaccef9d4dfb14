"""`GET /v1/usage/verification`: what `parley usage verify` says, to those who pay."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.usage.period_reading import period_of, present_period
from control_api.usage.verification_models import MOST_SENTENCES, UnbalancedBill, UsageVerification
from sessions.billing.billing_period import Period
from sessions.ids import format_id
from store.usage.verification import BillVerifier, Imbalance

# Of the time that a request may take the database; the bills that have been begun then need some, too.
_PART_OF_THE_TIME = 0.5


async def verify_usage(call: Call) -> web.StreamResponse:
    """A page of bills, computed again."""
    zone: ZoneInfo = call.query["time_zone"]
    period, edge = await call.dependencies.usage_totals.settled_part(period_of(call))
    after: datetime | None = call.query["after"]
    found = await BillVerifier(call.dependencies.bulk_db).verify(
        call.organization_id,
        Period(period.start, edge),
        since=None if after is None else max(after, period.start),
        agent_id=call.principal.agent_id,
        most=call.query["limit"],
        seconds=call.dependencies.settings.database_timeout_seconds * _PART_OF_THE_TIME,
    )
    until = found.until or edge
    return json_answer(
        UsageVerification(
            object="usage_verification",
            period=present_period(period, edge, zone),
            sessions=found.checked,
            running=found.running,
            balances=not found.unbalanced,
            unbalanced=[_unbalanced(session_id, wrong) for session_id, wrong in found.unbalanced.items()],
            has_more=until < edge,
            next_cursor=_cursor(until) if until < edge else None,
        )
    )


def _cursor(until: datetime) -> str:
    """To the microsecond: bills are parted there."""
    return until.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _unbalanced(session_id: UUID, wrong: Imbalance) -> UnbalancedBill:
    return UnbalancedBill(
        session_id=format_id("sess", session_id),
        milliseconds=wrong.milliseconds,
        credits=format(wrong.credits, ".3f"),
        recomputed_credits=format(wrong.recomputed_credits, ".3f"),
        imbalances=wrong.sentences[:MOST_SENTENCES],
    )
