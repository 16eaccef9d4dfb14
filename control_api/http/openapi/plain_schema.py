"""The schemas of the OpenAPI document: JSON Schema that the makers of clients make working clients of.

Without titles that only repeat a field's name (they name types after each), without null as the default of what is
absent, and without a `const` that is a boolean (Java's put it into a text). In bodies of requests a default is told in
words: openapi-typescript demands what has one. Numbers say how large they get: Java's and Go's have 32 bits otherwise.
Answers are not closed, although each has exactly its members: a client that was made yesterday has to read tomorrow's.
"""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

_INT32 = 2**31 - 1


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

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """A whole number; of 64 bits, unless it is bounded."""
        shown = super().int_schema(schema)
        return shown if shown.get("maximum", _INT32 + 1) <= _INT32 else shown | {"format": "int64"}

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        """A number of 64 bits."""
        return super().float_schema(schema) | {"format": "double"}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """A model; one of requests tells its defaults in words, one of answers is open."""
        shown = super().model_schema(schema)
        mode: JsonSchemaMode = self.mode
        if mode == "serialization":
            if shown.get("additionalProperties") is False:
                del shown["additionalProperties"]
            return shown
        for member in shown.get("properties", {}).values():
            _tell_default(member)
        return shown


def _tell_default(member: dict[str, Any]) -> None:
    if "default" not in member:
        return
    told = f"Default: {json.dumps(member.pop('default'))}."
    member["description"] = f"{member['description']} {told}" if "description" in member else told
