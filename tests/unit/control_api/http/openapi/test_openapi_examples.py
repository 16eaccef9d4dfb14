"""Every operation of the OpenAPI document has examples, and they are what its own schemas say."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from control_api.http.openapi.operation import Operation
from control_api.operations import OPERATIONS
from sessions.audio_formats import MEDIA_TYPES
from tests.support.samples.served_document import SERVED
from tools.resolved_document import resolved

DOCUMENT = resolved(json.loads(SERVED))
BINARY = tuple(MEDIA_TYPES.values())


def _definition(operation: Operation) -> dict[str, Any]:
    found = DOCUMENT["paths"][operation.path][operation.method.lower()]
    assert isinstance(found, dict)
    return found


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    """Of a schema as JSON; made once, as it reads all components of the document, and most operations share answers."""
    return jsonschema_rs.Draft202012Validator(
        {**json.loads(schema), "components": DOCUMENT["components"]}, validate_formats=True
    )


def _check(schema: dict[str, Any], example: Any) -> None:
    """Raises what is wrong, formats included."""
    _validator(json.dumps(schema)).validate(example)


def _examples(content: dict[str, Any]) -> list[Any]:
    return [one["value"] for one in content.get("examples", {}).values()] + (
        [content["example"]] if "example" in content else []
    )


def _bodies(operation: Operation) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Where, media type, content: the request's and every response's."""
    definition = _definition(operation)
    for media_type, content in definition.get("requestBody", {}).get("content", {}).items():
        yield "request", media_type, content
    for status, response in definition["responses"].items():
        for media_type, content in response.get("content", {}).items():
            yield status, media_type, content


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_body_has_examples_that_its_schema_takes(operation: Operation) -> None:
    """Request and responses, errors included; only sound has none."""
    for where, media_type, content in _bodies(operation):
        shown = _examples(content)
        assert shown or media_type in BINARY, (where, media_type)
        for example in shown:
            _check(content["schema"], example)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_answer_with_a_body_says_so(operation: Operation) -> None:
    """204 and 304 have none, everything else one."""
    for status, response in _definition(operation)["responses"].items():
        assert ("content" in response) == (status not in ("204", "304")), status


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_parameters_have_examples_that_their_schemas_take(operation: Operation) -> None:
    """Those of the path always; others where they show one, or have a default."""
    for parameter in _definition(operation).get("parameters", ()):
        schema = parameter["schema"]
        shown = _examples(parameter) + schema.get("examples", [])
        assert shown or parameter["in"] != "path", parameter["name"]
        for example in [*shown, *([schema["default"]] if "default" in schema else [])]:
            _check(schema, example)
