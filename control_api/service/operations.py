"""The operations of the service itself: codes, health, metrics, the OpenAPI document."""

from functools import partial

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.service import documentation, examples, routes
from control_api.service.models import CodeList, Health, Readiness, ServiceStatus

_read = partial(Operation, method="GET", tag="Service")
_public = partial(_read, public=True)

SERVICE_OPERATIONS: tuple[Operation, ...] = (
    _read(
        name="list_codes",
        path="/v1/codes",
        summary="Every code that Parley answers, ends or fails with",
        handler=routes.list_codes,
        answers=(Answer(200, "The registry.", CodeList, page(examples.CODE)),),
    ),
    _public(
        name="get_status",
        path="/v1/status",
        summary="Is it working, and which version is it",
        handler=routes.get_status,
        answers=(
            Answer(
                200,
                "For people.",
                ServiceStatus,
                {
                    "object": "status",
                    "status": "operational",
                    "version": "0.1.0",
                    "dependencies": examples.DEPENDENCIES,
                },
            ),
        ),
    ),
    _public(
        name="get_health",
        path="/healthz",
        summary="The process answers",
        handler=routes.get_health,
        answers=(Answer(200, "It does.", Health, {"object": "health", "status": "ok"}),),
    ),
    _public(
        name="get_readiness",
        path="/readyz",
        summary="Database and storage answer, and the process is not stopping",
        handler=routes.get_readiness,
        answers=(
            Answer(
                200,
                "Send requests here.",
                Readiness,
                {"object": "readiness", "status": "ready", "dependencies": examples.DEPENDENCIES},
            ),
        ),
        errors=("database.unavailable", "storage.unavailable", "stopping"),
    ),
    _public(
        name="get_metrics",
        path="/metrics",
        summary="Prometheus metrics",
        handler=routes.get_metrics,
        answers=(Answer(200, "Text format.", media_types={"text/plain": "parley_api_requests_in_flight 1.0\n"}),),
    ),
    _public(
        name="get_openapi",
        path="/openapi.json",
        summary="This document",
        handler=documentation.get_openapi,
        answers=(Answer(200, "OpenAPI 3.1.", media_types={"application/json": examples.OPENAPI}),),
    ),
    _public(
        name="get_docs",
        path="/docs",
        summary="This document, for people",
        handler=documentation.get_docs,
        answers=(
            Answer(200, "A page that needs nothing from elsewhere.", media_types={"text/html": "<!doctype html>…"}),
        ),
    ),
)
