"""The operations of the service itself: codes, health, metrics, the OpenAPI document."""

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.service import documentation, examples, routes
from control_api.service.models import CodeList, Health, Readiness, ServiceStatus

SERVICE_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="list_codes",
        method="GET",
        path="/v1/codes",
        tag="Service",
        summary="Every code that Parley answers, ends or fails with",
        handler=routes.list_codes,
        answers=(Answer(200, "The registry.", CodeList, page(examples.CODE)),),
    ),
    Operation(
        name="get_status",
        method="GET",
        path="/v1/status",
        tag="Service",
        summary="Is it working, and which version is it",
        public=True,
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
    Operation(
        name="get_health",
        method="GET",
        path="/healthz",
        tag="Service",
        summary="The process answers",
        public=True,
        handler=routes.get_health,
        answers=(Answer(200, "It does.", Health, {"object": "health", "status": "ok"}),),
    ),
    Operation(
        name="get_readiness",
        method="GET",
        path="/readyz",
        tag="Service",
        summary="Database and storage answer, and the process is not stopping",
        public=True,
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
    Operation(
        name="get_metrics",
        method="GET",
        path="/metrics",
        tag="Service",
        summary="Prometheus metrics",
        public=True,
        handler=routes.get_metrics,
        answers=(Answer(200, "Text format.", media_types={"text/plain": "parley_api_requests_in_flight 1.0\n"}),),
    ),
    Operation(
        name="get_openapi",
        method="GET",
        path="/openapi.json",
        tag="Service",
        summary="This document",
        public=True,
        handler=documentation.get_openapi,
        answers=(Answer(200, "OpenAPI 3.1.", media_types={"application/json": examples.OPENAPI}),),
    ),
    Operation(
        name="get_docs",
        method="GET",
        path="/docs",
        tag="Service",
        summary="This document, for people",
        public=True,
        handler=documentation.get_docs,
        answers=(
            Answer(200, "A page that needs nothing from elsewhere.", media_types={"text/html": "<!doctype html>…"}),
        ),
    ),
)
