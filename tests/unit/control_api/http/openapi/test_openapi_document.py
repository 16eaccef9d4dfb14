"""The OpenAPI document, and that its examples are true."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from control_api.http.openapi.operation import Operation
from control_api.http.requests.field_errors import validate
from control_api.operations import OPERATIONS
from control_api.sessions.bodies.request_models import CreateSessionRequest
from tests.support.samples.served_document import SERVED
from tools.resolved_document import resolved

DOCUMENT: dict[str, Any] = json.loads(SERVED)
RESOLVED = resolved(DOCUMENT)
MAX_BYTES = 400_000  # what editors, gateways and makers of clients load without a second thought


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*(_references(member) for member in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(item) for item in value))
    return set()


def test_every_reference_leads_somewhere() -> None:
    """No schema is missing."""
    known = {f"#/components/{kind}/{name}" for kind, parts in DOCUMENT["components"].items() for name in parts}
    assert _references(DOCUMENT) <= known


def test_names_and_routes_are_unique() -> None:
    """No operation hides another."""
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_examples_fit_their_models(operation: Operation) -> None:
    """Answers have an example that their model takes; bodies too."""
    for answer in operation.answers:
        if answer.model is not None:
            shown = answer.model.model_validate(answer.example).model_dump(mode="json")
            assert shown == answer.example
    if operation.body is not None:
        assert operation.request_examples
        for example in operation.request_examples.values():
            validate(operation.body, example)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_documented_codes_are_registered_errors(operation: Operation) -> None:
    """With an HTTP status, and an example of each in the OpenAPI document."""
    responses = RESOLVED["paths"][operation.path][operation.method.lower()]["responses"]
    for code in operation.errors:
        status = str(operation.dialect.status(code))
        assert code in responses[status]["content"]["application/json"]["examples"]


def test_a_created_session_leads_to_every_operation_on_it() -> None:
    """Whichever style made it and whichever style the operation is of: links fill path and query."""
    for path in ("/v1/sessions", "/api/sessions"):
        links = DOCUMENT["paths"][path]["post"]["responses"]["201"]["links"]
        on_a_session = {
            operation.name
            for operation in OPERATIONS
            if any(name in operation.path for name in ("{session_id}", "{session_key}"))
            or any(parameter.name == "sessionId" for parameter in operation.query)
        }
        assert on_a_session | {"list_agent_sessions", "list_archived_agent_sessions"} == set(links)
        assert links["get_session"]["parameters"] == {"session_id": "$response.body#/id"}
        assert links["session_status"]["parameters"] == {"sessionId": "$response.body#/id"}
        assert links["get_agent_session_history"]["parameters"] == {
            "agent_id": "$response.body#/agent_id",
            "session_key": "$response.body#/id",
        }


def test_a_created_key_leads_to_its_rotation_and_revocation() -> None:
    """Links, as from sessions."""
    links = DOCUMENT["paths"]["/v1/api_keys"]["post"]["responses"]["201"]["links"]
    assert set(links) == {"rotate_api_key", "revoke_api_key"}


def test_all_three_transports_are_in_the_schema() -> None:
    """A union on `type`; the reserved ones take whatever members they will have."""
    schema = CreateSessionRequest.model_json_schema()
    mapping = schema["properties"]["transport"]["discriminator"]["mapping"]
    assert set(mapping) == {"livekit", "websocket", "pipecat"}
    token = schema["$defs"]["LiveKitTransportRequest"]["properties"]["worker_token"]
    assert token["writeOnly"] is True


def test_the_document_is_valid_and_small() -> None:
    """By the specification's own schema, references and defaults included."""
    errors = [error.message[:200] for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()]
    assert errors == []
    assert len(SERVED) <= MAX_BYTES


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(member)


def _reached_from(name: str, found: set[str]) -> set[str]:
    """The names of the schemas that a schema is made of, itself not included unless it is recursive."""
    for reference in _references(DOCUMENT["components"]["schemas"][name]):
        other = reference.rpartition("/")[2]
        if other not in found:
            found.add(other)
            _reached_from(other, found)
    return found


def test_nothing_is_in_the_document_that_makers_of_clients_stumble_over() -> None:
    """Recursive schemas, bodies in links, switches that only query parameters have, defaults in bodies of requests."""
    schemas = DOCUMENT["components"]["schemas"]
    assert [name for name in schemas if name in _reached_from(name, set())] == []
    for part in _objects(DOCUMENT["paths"] | DOCUMENT["components"]):
        assert "requestBody" not in part or "responses" in part, part
        assert part.get("in") == "query" or not {"allowEmptyValue", "allowReserved"} & part.keys(), part
    bodies = {
        name
        for operation in OPERATIONS
        if operation.body is not None
        for name in _reached_from(operation.body.__name__, {operation.body.__name__})
    }
    assert [name for name in bodies for one in schemas[name].get("properties", {}).values() if "default" in one] == []


def test_a_client_that_was_made_yesterday_reads_the_answers_of_tomorrow() -> None:
    """Answers may gain members; bodies of requests are closed, so that a misspelt member is found."""
    bodies = {operation.body.__name__ for operation in OPERATIONS if operation.body is not None}
    taken = bodies.union(*(_reached_from(name, set()) for name in bodies))
    closed = {
        name
        for name, schema in DOCUMENT["components"]["schemas"].items()
        if schema.get("additionalProperties") is False
    }
    assert closed <= taken
    assert bodies <= closed


def test_numbers_say_how_large_they_get() -> None:
    """A recording's size in bytes does not fit into what Java and Go take an integer for."""
    for part in _objects(DOCUMENT):
        kinds = [part.get("type")] if isinstance(part.get("type"), str) else part.get("type", [])
        if "integer" in kinds and part.get("maximum", 2**31) >= 2**31:
            assert part.get("format") == "int64", part
        if "number" in kinds:
            assert part.get("format") == "double", part


def test_who_follows_the_link_to_the_audio_gets_a_file() -> None:
    """Most clients follow links by themselves: what they make of it is the type of 200."""
    answers = DOCUMENT["paths"]["/v1/sessions/{session_id}/audio"]["get"]["responses"]
    assert set(answers["302"]["content"]) == {"application/json"}
    assert answers["200"]["content"]["audio/wav"]["schema"] == {"type": "string", "format": "binary"}
