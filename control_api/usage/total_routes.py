"""`GET /v1/usage`: what a period of the bill adds up to."""

from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.http.requests.query_parameters import with_offset
from control_api.usage.total_models import UsageGroup, UsagePeriod, UsageReport, UsageSums
from sessions.billing.billing_period import LONGEST_PERIOD, MONTH_WORDS, Period, month_of, read_edge
from sessions.errors import ParleyError
from sessions.texts.timestamps import format_timestamp
from store.usage.totals import Totals


async def get_usage(call: Call) -> web.StreamResponse:
    """The sums, and a page of groups where they are asked for."""
    query = call.query
    zone: ZoneInfo = query["time_zone"]
    chosen = _chosen(call, zone)

    def period_at(now: datetime) -> Period:
        return chosen or month_of(query["period"] or MONTH_WORDS[0], now, zone)

    if query["after"] is not None and query["group_by"] is None:
        raise _invalid("after", "goes with group_by")
    report = await call.dependencies.usage_totals.report(
        call.organization_id,
        period_at,
        agent_id=call.principal.agent_id,
        group_by=query["group_by"],
        zone=zone,
        after=query["after"],
        limit=query["limit"],
    )
    groups = [
        UsageGroup(object="usage_group", group_by=query["group_by"], value=group.value, **_sums(group).model_dump())
        for group in report.groups
    ]
    return json_answer(
        UsageReport(
            object="usage",
            period=UsagePeriod(
                start=format_timestamp(report.period.start),
                end=format_timestamp(report.period.end),
                time_zone=zone.key,
                as_of=format_timestamp(report.as_of),
                complete=report.complete,
            ),
            totals=_sums(report.totals),
            group_by=query["group_by"],
            groups=groups,
            has_more=report.has_more,
            next_cursor=groups[-1].value if report.has_more else None,
        )
    )


def _sums(totals: Totals) -> UsageSums:
    return UsageSums(
        milliseconds=totals.milliseconds,
        billable_seconds=totals.milliseconds // 1000,
        credits=format(totals.credits, ".3f"),
        events=totals.events,
    )


def _chosen(call: Call, zone: ZoneInfo) -> Period | None:
    """The period between two edges; None: a month is wanted."""
    edges: dict[str, str | None] = {name: call.query[name] for name in ("period_start", "period_end")}
    if not any(edges.values()):
        return None
    if call.query["period"] is not None:
        raise _invalid("period", "give period, or both period_start and period_end")
    start, end = (_edge(name, text, zone) for name, text in edges.items())
    if start >= end:
        raise _invalid("period_end", "must be after period_start")
    if end - start > LONGEST_PERIOD:
        raise _invalid("period_end", f"must be at most {LONGEST_PERIOD.days} days after period_start")
    return Period(start, end)


def _edge(name: str, text: str | None, zone: ZoneInfo) -> datetime:
    if text is None:
        raise _invalid(name, "period_start and period_end go together")
    try:
        return read_edge(with_offset(text), zone)
    except ValueError as problem:
        raise _invalid(name, str(problem)) from None


def _invalid(name: str, message: str) -> ParleyError:
    return ParleyError("parameter.invalid", message, param=name)
