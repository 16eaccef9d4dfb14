"""`GET /v1/usage`: what a period of the bill adds up to."""

from zoneinfo import ZoneInfo

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.usage.period_reading import period_of, present_period
from control_api.usage.total_models import UsageGroup, UsageReport, UsageSums
from sessions.errors import ParleyError
from store.usage.totals import Totals


async def get_usage(call: Call) -> web.StreamResponse:
    """The sums, and a page of groups where they are asked for."""
    query = call.query
    zone: ZoneInfo = query["time_zone"]
    if query["after"] is not None and query["group_by"] is None:
        raise ParleyError("parameter.invalid", "goes with group_by", param="after")
    report = await call.dependencies.usage_totals.report(
        call.organization_id,
        period_of(call),
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
            period=present_period(report.period, report.as_of, zone),
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
