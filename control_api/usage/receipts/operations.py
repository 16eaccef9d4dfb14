"""The operation on the receipt of a session."""

from control_api.http.openapi.operation import Answer, Operation
from control_api.sessions.one_session import ONE_SESSION
from control_api.usage.receipts import examples, routes
from control_api.usage.receipts.models import Receipt

RECEIPT_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_receipt",
        method="GET",
        path=ONE_SESSION + "/receipt",
        tag="Usage",
        summary="Get what a session costs, and why",
        description=(
            "The session's clock, the length of its recording, who is heard in it, its gaps, the time in which nobody "
            "was there and what the rows of the bill add up to, side by side. The bill is computed again from its rows "
            "and from the recording: balances says whether it is right."
        ),
        scope="usage:read",
        handler=routes.get_receipt,
        answers=(Answer(200, "The receipt.", Receipt, examples.RECEIPT),),
    ),
)
