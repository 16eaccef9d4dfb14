"""The page of faults names tests that exist, and `make faults` runs exactly these."""

import ast
from pathlib import Path

from tools.faults import named_tests, rows, unproven

ROOT = Path(__file__).resolve().parents[3]


def test_every_fault_has_a_test_or_says_that_it_has_none() -> None:
    """In the last column of each row."""
    assert len(rows()) == len(named_tests()) + unproven()
    assert len(named_tests()) >= 15


def test_the_named_tests_exist() -> None:
    """File and function."""
    for name in named_tests():
        path, _, function = name.partition("::")
        names = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, _FUNCTION)}
        assert function in names, name


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
