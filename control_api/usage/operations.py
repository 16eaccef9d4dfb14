"""The operations on the bill."""

from typing import get_args

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import choice, edge, identifier, page_size, text, zone
from control_api.usage import event_routes, examples, total_routes
from control_api.usage.event_models import UsageEventList
from control_api.usage.total_models import UsageReport
from sessions.billing.billing_period import LONGEST_PERIOD, MONTH_WORDS
from store.usage.ledger import TAIL_SECONDS
from store.usage.totals import GroupBy

USAGE_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_usage",
        method="GET",
        path="/v1/usage",
        tag="Usage",
        summary="Get the sums of a period of the bill",
        description=(
            "Computed from the ledger alone. A row belongs to the period in which it was recorded (recorded_at, at "
            "most about a minute after the time that it bills). Like the ledger's pages, the sums leave out the last "
            f"{TAIL_SECONDS} s; once period.complete is true they never change. Without parameters: the current month "
            "in UTC."
        ),
        scope="usage:read",
        handler=total_routes.get_usage,
        query=(
            choice("period", "A calendar month of time_zone. Default current_month.", MONTH_WORDS),
            edge("period_start", "The start, instead of period: a time, or a date, which is midnight in time_zone."),
            edge(
                "period_end",
                f"The end, exclusive: a time or a date, at most {LONGEST_PERIOD.days} days after period_start.",
            ),
            zone("time_zone", "IANA name, where months and dates begin at midnight."),
            choice("group_by", "Also gives the sums for each value of it; day: dates of time_zone.", get_args(GroupBy)),
            text("after", "The value of the last group of the page before."),
            page_size("Groups per page", default=100, most=1000),
        ),
        answers=(Answer(200, "The sums.", UsageReport, examples.USAGE),),
    ),
    Operation(
        name="list_usage_events",
        method="GET",
        path="/v1/usage/events",
        tag="Usage",
        summary="List the rows of the bill, oldest first",
        description=(
            "Rows are only ever appended. With session_id, a row is listed as soon as it is written. Without it, pages "
            f"leave out the last {TAIL_SECONDS} s, so that a reader who goes on with after misses no row."
        ),
        scope="usage:read",
        handler=event_routes.list_usage_events,
        query=(
            identifier("session_id", "Only rows of this session.", "sess"),
            identifier("after", "The last id of the page before.", "ue"),
            page_size(),
        ),
        answers=(
            Answer(
                200,
                "A page of rows.",
                UsageEventList,
                page(examples.USAGE_EVENT),
                media_types={
                    event_routes.CSV: "id,object,session_id,epoch,kind,code,from_ms,to_ms,…\r\n",
                    event_routes.NDJSON: '{"id":"ue_…","object":"usage_event",…}\n',
                },
                optional_headers={"Link": 'The next page, rel="next".'},
            ),
        ),
        errors=("not_acceptable",),
    ),
)
