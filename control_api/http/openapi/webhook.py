"""What is sent to clients instead of answered: the `webhooks` section of OpenAPI 3.1."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from control_api.http.openapi.responses import References


@dataclass(frozen=True, slots=True)
class Webhook:
    """One message that a client's endpoint may be sent: its name, when it is sent, and its body."""

    name: str
    summary: str
    model: type[BaseModel]

    def to_json(self, references: References) -> dict[str, Any]:
        """Its path item."""
        return {
            "post": {
                "summary": self.summary,
                "requestBody": {"content": {"application/json": {"schema": references[self.model]}}, "required": True},
                "responses": {"2XX": {"description": "It was received."}},
            }
        }
