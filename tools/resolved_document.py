"""The OpenAPI document with its references followed, but for those to schemas, which have names that readers know."""

from typing import Any

SCHEMAS = "#/components/schemas/"


def resolved(document: dict[str, Any]) -> dict[str, Any]:
    """The same document, each shared parameter, header, response and example where it is referred to."""

    def followed(value: Any) -> Any:
        if isinstance(value, list):
            return [followed(item) for item in value]
        if not isinstance(value, dict):
            return value
        target = value.get("$ref")
        if isinstance(target, str) and not target.startswith(SCHEMAS):
            kind, name = target.removeprefix("#/components/").split("/")
            return followed(document["components"][kind][name])
        return {name: followed(member) for name, member in value.items()}

    found = followed(document)
    assert isinstance(found, dict)
    return found
