"""The OpenAPI 3.1 document, from the table of operations and their pydantic models."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from control_api.http.openapi.components import Components
from control_api.http.openapi.operation import Operation
from control_api.http.openapi.plain_schema import PlainSchema
from control_api.http.openapi.responses import References, error_responses, success_response
from control_api.http.openapi.webhook import Webhook
from control_api.http.requests import idempotency_key
from control_api.http.requests.path_parameters import OUTSIDE_THE_PATH, PATH_PARAMETERS, path_parameters


class ServedDocument:
    """The document of a table of operations, made when it is first asked for: half a second of computing."""

    def __init__(self, operations: Sequence[Operation], webhooks: Sequence[Webhook], server: str) -> None:
        self._operations = operations
        self._webhooks = webhooks
        self._server = server
        self._making = asyncio.Lock()
        self._json: bytes | None = None

    async def to_json(self) -> bytes:
        """As bytes; made once, in a thread, beside other requests."""
        async with self._making:
            if self._json is None:
                self._json = await asyncio.to_thread(self._make)
            return self._json

    def _make(self) -> bytes:
        return render(openapi_document(self._operations, self._webhooks, self._server))


_METHODS = ("get", "put", "post", "delete", "patch")  # as they are shown
_IDEMPOTENCY_KEY = {
    "name": idempotency_key.HEADER,
    "in": "header",
    "description": idempotency_key.DESCRIPTION,
    "schema": idempotency_key.SCHEMA,
}

OPENAPI = web.AppKey("openapi", ServedDocument)


def openapi_document(
    operations: Sequence[Operation], webhooks: Sequence[Webhook] = (), server: str = "/"
) -> dict[str, Any]:
    """The whole document.

    Args:
        server: URL that the paths are added to; `/`: the host that serves the document.
    """
    components = Components()
    references, definitions = _schemas(operations, webhooks)
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for operation in operations:
        paths[operation.path][operation.method.lower()] = _operation(operation, references, components)
    for operation in operations:
        for answer in operation.answers:
            if answer.leads_to:
                response = paths[operation.path][operation.method.lower()]["responses"][str(answer.status)]
                response["links"] = _links(answer.leads_to, operations)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Parley",
            "version": version("parley"),
            "description": "Records voice conversations in LiveKit rooms that its customers own.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in operations)],
        "paths": {path: {m: methods[m] for m in _METHODS if m in methods} for path, methods in paths.items()},
        **({"webhooks": {webhook.name: webhook.to_json(references) for webhook in webhooks}} if webhooks else {}),
        "components": {
            "schemas": definitions,
            **components.to_json(),
            "securitySchemes": {
                "api_key": {"type": "http", "scheme": "bearer", "description": "An API key."},
                "operator_key": {"type": "http", "scheme": "bearer", "description": "PARLEY_OPERATOR_KEY."},
            },
        },
    }


def render(document: dict[str, Any]) -> bytes:
    """As JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _schemas(operations: Sequence[Operation], webhooks: Sequence[Webhook]) -> tuple[References, dict[str, Any]]:
    """Where each model's schema is, and the schemas."""
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    models.update({(webhook.model, "serialization"): None for webhook in webhooks})
    for operation in operations:
        models[(operation.dialect.envelope, "serialization")] = None
        if operation.body is not None:
            models[(operation.body, "validation")] = None
        for answer in operation.answers:
            shown = [answer.model] if answer.model else []
            shown += [answer.variant[1]] if answer.variant else []
            models.update({(model, "serialization"): None for model in shown})
    references, schema = models_json_schema(
        list(models), ref_template="#/components/schemas/{model}", schema_generator=PlainSchema
    )
    return {model: references[model, mode] for model, mode in models}, schema["$defs"]


def _operation(operation: Operation, references: References, components: Components) -> dict[str, Any]:
    content: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": _parameters(operation, components),
        "responses": {
            **{
                str(answer.status): success_response(answer, operation, references, components)
                for answer in operation.answers
            },
            **error_responses(operation, references, components),
        },
        "security": _security(operation),
    }
    if operation.description:
        content["description"] = operation.description
    if operation.body is not None:
        content["requestBody"] = {
            "required": operation.body_required,
            "content": {
                "application/json": {
                    "schema": references[operation.body],
                    "examples": {name: {"value": value} for name, value in operation.request_examples.items()},
                }
            },
        }
    return content


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.operator:
        return [{"operator_key": []}]
    return [] if operation.public else [{"api_key": [operation.scope] if operation.scope else []}]


def _parameters(operation: Operation, components: Components) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for name in path_parameters(operation.path):
        parameters.append(components.parameter(_in_path(name, *PATH_PARAMETERS[name])))
    for parameter in operation.query:
        schema = {"type": "array", "items": parameter.schema} if parameter.repeats else parameter.schema
        parameters.append(
            {
                "name": parameter.name,
                "in": "query",
                **({"required": True} if parameter.required else {}),
                "description": parameter.description,
                "schema": schema,
            }
        )
    for name, (description, schema) in operation.request_headers.items():
        parameters.append({"name": name, "in": "header", "description": description, "schema": schema})
    if operation.idempotent_by_key:
        parameters.append(components.parameter(_IDEMPOTENCY_KEY))
    return parameters


def _in_path(name: str, description: str, example: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
        "example": example,
    }


def _links(leads_to: dict[str, str], operations: Sequence[Operation]) -> dict[str, Any]:
    """To every operation that the answer can address by path or query: makers of clients read no body in a link."""
    found: dict[str, Any] = {}
    for operation in operations:
        names = path_parameters(operation.path)
        names += [parameter.name for parameter in operation.query if parameter.name == OUTSIDE_THE_PATH]
        if names and leads_to.keys() >= set(names):
            parameters = {name: f"$response.body#/{leads_to[name]}" for name in names}
            found[operation.name] = {"operationId": operation.name, "parameters": parameters}
    return found
