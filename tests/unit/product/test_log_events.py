"""Log events have one spelling, as codes and domain events have: `subject.what_happened`, a literal that grep finds."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.rules.product_code import product_modules

_SPELLING = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
_LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
_MAKERS = frozenset({"get_logger", "getLogger"})


def _is_made(value: ast.expr | None) -> bool:
    """Whether `value` is a new logger: structlog's or the standard library's."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _MAKERS


def _names(tree: ast.Module) -> Iterator[str]:
    """What a module calls its loggers; nearly all say `_log`."""
    yield "_log"
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _is_made(node.value):
            yield from (ast.unparse(target) for target in node.targets)
        elif isinstance(node, ast.AnnAssign) and _is_made(node.value):
            yield ast.unparse(node.target)


def _is_logger(receiver: ast.expr, names: frozenset[str]) -> bool:
    """Whether a level is looked up on a logger: one of `names`, what its `bind(…)` gives, or one made on the spot."""
    while isinstance(receiver, ast.Call) and not _is_made(receiver):
        receiver = receiver.func.value if isinstance(receiver.func, ast.Attribute) else receiver.func
    return _is_made(receiver) or ast.unparse(receiver) in names


def _faults(tree: ast.Module) -> Iterator[str]:
    """Every use of a logger in `tree` whose event isn't a literal of the one spelling."""
    names = frozenset(_names(tree))
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and node.attr in {*_LEVELS, "log"} and _is_logger(node.value, names)):
            continue
        call = called.get(id(node))
        place = 1 if node.attr == "log" else 0
        event = call.args[place] if call is not None and len(call.args) > place else None
        if not (isinstance(event, ast.Constant) and _SPELLING.fullmatch(str(event.value))):
            yield f"line {node.lineno}: {ast.unparse(call or node)}"


def test_every_log_event_of_the_product_has_the_one_spelling() -> None:
    """`session.claimed`, dotted once, in lower case: what an operator greps for stands in the code as it is printed."""
    found = [f"{name}: {fault}" for name, tree in product_modules() for fault in _faults(tree)]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        '_log.info("session_claimed")',
        '_log.info("session.claimed.again")',
        '_log.info("Session.claimed")',
        '_log.info(f"session.{what}")',
        '_log.info("session.%s", what)',
        "_log.info(event)",
        "_log.info()",
        '_log.bind(a=1).error("claimed")',
        '_log.log(10, "claimed")',
        'logging.getLogger("parley").critical("uncaught")',
        'log = structlog.get_logger()\nlog.info("claimed")',
        'write = _log.debug if quiet else _log.info\nwrite("session.claimed")',
    ],
)
def test_another_spelling_is_found(line: str) -> None:
    """What isn't a literal of that spelling is named, whichever way it reaches the logger."""
    assert list(_faults(ast.parse(line))) != []


@pytest.mark.parametrize(
    "line",
    [
        '_log.info("session.claimed", epoch=1)',
        '_log.log(level, "runs.not_released")',
        '_log.bind(a=1).info("playback_notice.dropped")',
        'parser.error("no such command")',
    ],
)
def test_the_one_spelling_passes(line: str) -> None:
    """And what is no logger isn't looked at."""
    assert list(_faults(ast.parse(line))) == []
