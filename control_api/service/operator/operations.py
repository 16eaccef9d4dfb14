"""The operation of whoever runs the installation."""

from control_api.http.openapi.operation import Answer, Operation
from control_api.service.operator import examples, routes
from control_api.service.operator.models import OperatorOverview

OPERATOR_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_operator_overview",
        method="GET",
        path="/v1/operator/overview",
        tag="Operator",
        summary="Get the installation in numbers",
        description=(
            "For whoever runs the installation, with PARLEY_OPERATOR_KEY as the key: queue, workers, jobs, storage, "
            "and what became of the sessions of the last hour. Nothing names an organization, a session or a room. 404 "
            "where no such key is set; organizations' keys are refused with 403."
        ),
        operator=True,
        handler=routes.get_overview,
        answers=(Answer(200, "The installation.", OperatorOverview, examples.OVERVIEW),),
        errors=("not_found",),
    ),
)
