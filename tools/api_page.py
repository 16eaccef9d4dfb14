"""docs/api.md: the OpenAPI document as a page to read, an operation after the other."""

import json
from typing import Any

_HEAD = """# The HTTP API

Served by `parley api`; `/openapi.json` is the same for programs, `/docs` for browsers. Send
`Authorization: Bearer <API key>` wherever a scope is named. Every answer has `X-Request-Id`; every error is
`{"error": {"type", "code", "message", "param", "request_id"}}`, and [codes.md](codes.md) says what to do about each
code. Times are RFC 3339 in UTC with three decimals, ids a prefix and a ULID. Unknown parameters and fields are
refused. Every `POST` takes an `Idempotency-Key`: a repetition within 24 hours gets the first answer. Fields and
parameters with a star are always there.

The operations under "Agent sessions", "Session API" and "Session outputs" show the same sessions in other styles;
[api-styles.md](guides/api-styles.md) says how these differ.
"""

_OF_PROGRAMS = ("int64", "double")  # formats that tell makers of clients how much to hold, and readers nothing


def api_page_of(document: dict[str, Any]) -> str:
    """Markdown: the operations by tag, then the schemas."""
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    parts = [_HEAD]
    shown: set[str] = set()
    for tag in document["tags"]:
        parts.append(f"## {tag['name']}\n")
        parts += [_operation(*entry, shown) for entry in operations if tag["name"] in entry[2]["tags"]]
    parts.append("## Schemas\n")
    parts += [_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    return "\n".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any], shown: set[str]) -> str:
    """`shown`: the examples so far; each is shown once."""
    scopes = [scope for entry in operation["security"] for names in entry.values() for scope in names]
    any_key = "The operator's key." if {"operator_key": []} in operation["security"] else "Any key."
    key = f"Scope `{scopes[0]}`." if scopes else (any_key if operation["security"] else "No key needed.")
    lines = [f"### {operation['summary']}\n", f"`{method} {path}` — {key}\n"]
    if operation.get("description"):
        lines.append(operation["description"] + "\n")
    if operation.get("parameters"):
        lines += ["| parameter | in | type | what it is |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{one['name']}`{' *' if one.get('required') else ''} | {one['in']} | {_type(one['schema'])} "
            f"| {_cell(one.get('description', ''))} |"
            for one in operation["parameters"]
        ]
        lines.append("")
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        optional = "" if operation["requestBody"].get("required") else ", optional"
        lines.append(f"Body: {_type(content['schema'])}{optional}\n")
        lines += [_code(example["value"]) for example in content.get("examples", {}).values()]
    lines += [_answer(status, answer, shown) for status, answer in operation["responses"].items() if int(status) < 400]
    lines.append("| error | codes |\n| --- | --- |")
    lines += [_error(status, answer) for status, answer in operation["responses"].items() if int(status) >= 400]
    return "\n".join(lines) + "\n"


def _answer(status: str, answer: dict[str, Any], seen: set[str]) -> str:
    content = answer.get("content", {})
    shown = ", ".join(f"`{media_type}` {_type(body.get('schema', {}))}" for media_type, body in content.items())
    line = f"**{status}** {answer['description']}" + (f" {shown}" if shown else "") + "\n"
    json_content = content.get("application/json", {})
    values = [one["value"] for one in json_content.get("examples", {}).values()]
    values += [json_content["example"]] if "example" in json_content else []
    example = "".join(_code(value) for value in values)
    if example in seen or not example:
        return line
    seen.add(example)
    return f"{line}\n{example}"


def _error(status: str, answer: dict[str, Any]) -> str:
    codes = answer.get("content", {}).get("application/json", {}).get("examples", {})
    return f"| {status} | {' '.join(f'`{code}`' for code in codes)} |"


def _schema(name: str, schema: dict[str, Any]) -> str:
    lines = [f"### {name}\n"]
    if schema.get("description"):
        lines.append(schema["description"] + "\n")
    if schema.get("properties"):
        required = schema.get("required", [])
        lines += ["| field | type | what it is |", "| --- | --- | --- |"]
        lines += [
            f"| `{field}`{' *' if field in required else ''} | {_type(one)} | {_cell(one.get('description', ''))} |"
            for field, one in schema["properties"].items()
        ]
        lines.append("")
    return "\n".join(lines)


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words; `\\|` because it stands in tables."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if many := schema.get("anyOf") or schema.get("oneOf"):
        return " \\| ".join(dict.fromkeys(_type(one) for one in many))
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " \\| ".join(f"`{word}`" for word in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    words = kind if isinstance(kind, str) else " \\| ".join(kind)
    if schema.get("format", "int64") not in _OF_PROGRAMS:
        words += f" ({schema['format']})"
    if "minimum" in schema or "maximum" in schema:
        words += f" {_bound(schema, 'minimum')}…{_bound(schema, 'maximum')}"
    if "default" in schema and schema["default"] not in (None, {}, []):
        words += f", default `{json.dumps(schema['default'])}`"
    return words


def _bound(schema: dict[str, Any], name: str) -> str:
    return str(int(schema[name])) if name in schema else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(value: Any) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```\n"
