"""What many operations of the OpenAPI document say in the same words, said once: `components`."""

from dataclasses import dataclass, field
from typing import Any

from control_api.http.answers.envelope import ERROR_CODE
from control_api.http.answers.request_id import HEADER as REQUEST_ID
from control_api.http.requests.request_limits import LEFT, POLICY
from sessions.ids import id_pattern

RETRY_AFTER = "Retry-After"

_HEADERS = {
    REQUEST_ID: {
        "description": "The request's id, for support.",
        "required": True,
        "schema": {"type": "string", "pattern": id_pattern("req")},
    },
    ERROR_CODE: {
        "description": "The error's code, whatever form the body has.",
        "required": True,
        "schema": {"type": "string", "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"},
    },
    RETRY_AFTER: {
        "description": "Seconds until the request is worth repeating.",
        "required": True,
        "schema": {"type": "string"},
    },
    LEFT: {
        "description": "What is left of each limit (r), seconds until it is whole again (t). On every limited answer.",
        "schema": {"type": "string"},
        "example": '"key";r=2499;t=1, "organization";r=4999;t=1',
    },
    POLICY: {
        "description": "The limits: how many at once (q), and in how many seconds these come again (w).",
        "schema": {"type": "string"},
        "example": '"key";q=2500;w=10, "organization";q=5000;w=10',
    },
}


@dataclass(slots=True)
class Components:
    """The parts that are referred to, by kind and name; without them the document is twice as large."""

    parameters: dict[str, Any] = field(default_factory=dict)
    responses: dict[str, Any] = field(default_factory=dict)
    examples: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def header(name: str) -> dict[str, Any]:
        """A header that answers of many operations have, as their `headers` member."""
        assert name in _HEADERS
        return {name: {"$ref": f"#/components/headers/{name}"}}

    def parameter(self, parameter: dict[str, Any]) -> dict[str, Any]:
        """A reference to a parameter, which means the same wherever its name stands."""
        name = parameter["name"]
        assert self.parameters.setdefault(name, parameter) == parameter, name
        return {"$ref": f"#/components/parameters/{name}"}

    def example(self, name: str, value: Any) -> dict[str, Any]:
        """A reference to an example."""
        return {"$ref": f"#/components/examples/{_kept(self.examples, name, {'value': value})}"}

    def response(self, name: str, response: dict[str, Any]) -> dict[str, Any]:
        """A reference to a response."""
        return {"$ref": f"#/components/responses/{_kept(self.responses, name, response)}"}

    def to_json(self) -> dict[str, Any]:
        """The document's `components`, without schemas and security schemes."""
        return {
            "headers": _HEADERS,
            "parameters": self.parameters,
            "responses": self.responses,
            "examples": self.examples,
        }


def _kept(parts: dict[str, Any], name: str, part: dict[str, Any]) -> str:
    """The name of a part: the one of its equal, where there is one already."""
    known = next((known for known, one in parts.items() if one == part), None)
    if known is None:
        assert name not in parts, name
        known, parts[name] = name, part
    return known
