"""The operations of the service itself: codes, health, metrics, the OpenAPI document."""

from functools import partial

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import text
from control_api.service import documentation_routes, examples, limits_routes, routes
from control_api.service.limits_models import LimitsReport
from control_api.service.models import CodeList, Health, Readiness, ServiceStatus

_read = partial(Operation, method="GET", tag="Service")
_public = partial(_read, public=True)

SERVICE_OPERATIONS: tuple[Operation, ...] = (
    _read(
        name="list_codes",
        path="/v1/codes",
        summary="List every code that Parley answers, ends or fails with",
        handler=routes.list_codes,
        answers=(Answer(200, "The registry.", CodeList, page(examples.CODE)),),
    ),
    _read(
        name="get_limits",
        path="/v1/limits",
        summary="Get the organization's limits, and what is used of them",
        description=(
            "limit null: there is none. Sessions and keys are counted in the database. Rates are of the API process "
            "that answers: so many per second or minute come again, and remaining is what may come at once. "
            "Every key of the organization sees them, as all share them."
        ),
        handler=limits_routes.get_limits,
        answers=(Answer(200, "The limits.", LimitsReport, examples.LIMITS),),
    ),
    _public(
        name="get_status",
        path="/v1/status",
        summary="Get the status of the service and its version",
        handler=routes.get_status,
        answers=(
            Answer(
                200,
                "The state of the service, for people.",
                ServiceStatus,
                {
                    "object": "status",
                    "status": "operational",
                    "version": "0.1.0",
                    "dependencies": examples.DEPENDENCIES,
                    "troubles": [],
                },
            ),
        ),
    ),
    _public(
        name="get_health",
        unlimited=True,
        path="/healthz",
        summary="Liveness: the process answers",
        handler=routes.get_health,
        answers=(Answer(200, "The process answers.", Health, {"object": "health", "status": "ok"}),),
    ),
    _public(
        name="get_readiness",
        unlimited=True,
        path="/readyz",
        summary="Readiness: this process takes requests",
        handler=routes.get_readiness,
        answers=(
            Answer(
                200,
                "Database and storage answer, the storage is this installation's, and the process is not stopping. "
                "degraded: requests can be sent here, and troubles says what somebody should look at.",
                Readiness,
                {"object": "readiness", "status": "ready", "dependencies": examples.DEPENDENCIES, "troubles": []},
            ),
        ),
        errors=("database.unavailable", "storage.unavailable", "storage.unrecognized", "stopping"),
    ),
    _public(
        name="get_metrics",
        unlimited=True,
        path="/metrics",
        summary="Get Prometheus metrics",
        handler=routes.get_metrics,
        answers=(
            Answer(
                200,
                "Text format.",
                media_types={"text/plain": "parley_api_requests_in_flight 1.0\n"},
            ),
        ),
        errors=("not_found",),
    ),
    _public(
        name="get_openapi",
        path="/openapi.json",
        summary="Get this document",
        handler=documentation_routes.get_openapi,
        answers=(Answer(200, "The document, OpenAPI 3.1.", media_types={"application/json": examples.OPENAPI}),),
    ),
    _public(
        name="get_docs",
        path="/docs",
        summary="Read this document in a browser",
        description="Contents, search, examples, and GETs that can be tried with the key of who is signed in.",
        handler=documentation_routes.get_docs,
        query=(text("op", "The operation that is shown, by its operationId."),),
        answers=(
            Answer(200, "A page that loads nothing from elsewhere.", media_types={"text/html": "<!doctype html>…"}),
        ),
    ),
)
