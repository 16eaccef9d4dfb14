"""The schemas of the OpenAPI document: JSON Schema that the makers of clients make working clients of.

Without titles that only repeat a field's name (they name types after each), without null as the default of what is
absent, and without a `const` that is a boolean (Java's put it into a text). In bodies of requests a default is told in
words: openapi-typescript demands what has one.
"""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema


class PlainSchema(GenerateJsonSchema):
    """Makes such schemas."""

    def field_title_should_be_set(self, schema: object) -> bool:
        """No title that nobody wrote."""
        del schema
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """A default, unless it is null."""
        shown = super().default_schema(schema)
        if shown.get("default", ...) is None:
            del shown["default"]
        return shown

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """One of a few words; a boolean is any."""
        if all(isinstance(value, bool) for value in schema["expected"]):
            return {"type": "boolean"}
        return super().literal_schema(schema)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """A model; one of requests tells its defaults in words."""
        shown = super().model_schema(schema)
        mode: JsonSchemaMode = self.mode
        if mode == "validation":
            for member in shown.get("properties", {}).values():
                _tell_default(member)
        return shown


def _tell_default(member: dict[str, Any]) -> None:
    if "default" not in member:
        return
    told = f"Default: {json.dumps(member.pop('default'))}."
    member["description"] = f"{member['description']} {told}" if "description" in member else told
