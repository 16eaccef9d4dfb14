"""The operations on the bill."""

from typing import get_args

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import choice, identifier, page_size, text, timestamp
from control_api.usage import event_routes, examples, total_routes, verification_routes
from control_api.usage.event_models import UsageEventList
from control_api.usage.period_reading import PERIOD_PARAMETERS
from control_api.usage.total_models import UsageReport
from control_api.usage.verification_models import UsageVerification
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
            "Computed from the ledger alone. A row belongs to the period in which it was recorded (recorded_at): what "
            "bills, about a minute at most after the time that it bills; what gives back, at the end of its session. "
            "So the sums of a period may be negative, if most of it is given back of what the period before billed. "
            f"Like the ledger's pages, the sums leave out the last {TAIL_SECONDS} s; once period.complete is true they "
            "never change. Without parameters: the current month in UTC."
        ),
        scope="usage:read",
        handler=total_routes.get_usage,
        query=(
            *PERIOD_PARAMETERS,
            choice("group_by", "Also gives the sums for each value of it; day: dates of time_zone.", get_args(GroupBy)),
            text("after", "The value of the last group of the page before."),
            page_size("Groups per page", default=100, most=1000),
        ),
        answers=(Answer(200, "The sums.", UsageReport, examples.USAGE),),
    ),
    Operation(
        name="verify_usage",
        method="GET",
        path="/v1/usage/verification",
        tag="Usage",
        summary="Compute a period's bills again",
        description=(
            "Each session's whole bill that the period touches, from its rows, its counter and its recording: what "
            "`parley usage verify` does. Bills come in the order in which the period touches them. A page ends after "
            "limit bills, or when it has taken its time, so it may have fewer; has_more then says that it is not all."
        ),
        scope="usage:read",
        handler=verification_routes.verify_usage,
        query=(
            *PERIOD_PARAMETERS,
            timestamp("after", "The next_cursor of the page before, as it is."),
            page_size("Bills per page", default=500, most=1000),
        ),
        answers=(Answer(200, "What the bills came to.", UsageVerification, examples.VERIFICATION),),
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
