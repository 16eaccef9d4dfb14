"""The registry of codes is complete: nobody says a word that it doesn't explain."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions.codes import CODES, Code, error_type, lookup
from sessions.events.event_types import EVENT_TYPES

ROOT = Path(__file__).parents[3]
PACKAGES = ("sessions", "audio", "store", "worker", "control_api", "parley")
_CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_KEYWORDS = {"code", "end_reason", "error_code", "recording_reason"}
_OUTCOMES = {"ended", "canceled", "failed"}
# Families that hold nothing but codes: any literal that looks like one of theirs has to be registered.
_FAMILIES = ("end", "cancel", "gap", "capacity", "usage")


def used_codes(tree: ast.AST) -> Iterator[str]:
    """Literals in places where codes stand: errors' first arguments, `code=`, stops, and the pure families."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
            if node.value.split(".")[0] in _FAMILIES:
                yield node.value
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            places = [keyword.value for keyword in node.keywords if keyword.arg in _KEYWORDS]
            if name == "ParleyError":
                places += node.args[:1]
            elif name == "Stop":
                places += node.args[1:2]
            elif name in _OUTCOMES and isinstance(node.func, ast.Attribute) and _is_stop(node.func.value):
                places += node.args[:1]
            for place in places:
                yield from _literals(place)


def _is_stop(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "Stop"


def _literals(place: ast.expr) -> Iterator[str]:
    """The strings that an expression may come out as; keys of a look-up are none."""
    match place:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _literals(body)
            yield from _literals(orelse)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _literals(value)


def test_every_code_in_the_source_is_registered() -> None:
    """A code that nobody can look up helps nobody."""
    used: dict[str, set[str]] = {}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            for code in used_codes(ast.parse(file.read_text(encoding="utf-8"))):
                used.setdefault(code, set()).add(str(file.relative_to(ROOT)))

    assert {code: files for code, files in used.items() if code not in CODES and code not in EVENT_TYPES} == {}
    assert len(used) > 20


def test_the_scan_finds_what_it_should() -> None:
    """In each of the places, also inside a conditional."""
    source = """
raise ParleyError("a.b", "text")
await runs.enter_ending(fence, Stop("failed", "c.d" if x else "e.f"))
raise Found(Stop.ended("i.j"))
apply(conn, code=given or "g.h")
show(code=answer["code"])
reason = "gap.unheard_of"
"""
    assert set(used_codes(ast.parse(source))) == {"a.b", "c.d", "e.f", "i.j", "g.h", "gap.unheard_of"}


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_each_code_is_well_formed(code: Code) -> None:
    """Spelling, a status for what answers requests, a sentence that helps."""
    assert code.code in {"internal", "not_found", "not_acceptable", "stopping"} or _CODE.fullmatch(code.code)
    assert (code.kind != "error") or code.http_status is not None
    assert code.http_status is None or 400 <= code.http_status < 600
    assert code.help.endswith(".")
    assert code.kind not in {"failure", "end"} or code.billable
    assert lookup(code.code) is code


def test_an_unregistered_code_is_a_bug() -> None:
    """Looked up, it raises."""
    with pytest.raises(KeyError):
        lookup("no.such_code")


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (400, "invalid_request"),
        (401, "authentication"),
        (403, "permission"),
        (404, "not_found"),
        (408, "invalid_request"),
        (409, "conflict"),
        (416, "invalid_request"),
        (422, "unprocessable"),
        (500, "internal"),
        (502, "internal"),
        (503, "service_unavailable"),
    ],
)
def test_every_status_has_a_category(status: int, category: str) -> None:
    """The envelope's `type`."""
    assert error_type(status) == category
