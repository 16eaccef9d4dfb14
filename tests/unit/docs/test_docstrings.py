"""The modules that docstrings name are there: who follows one finds it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions.codes import CODES
from store.database.tables import metadata
from tests.support.rules.product_code import PACKAGES, product_modules

ROOT = Path(__file__).resolve().parents[3]
_NAME = re.compile(r"`([a-z_]+(?:\.\w+)+)`")
_FILES = (".json", ".wav")
_NO_MODULES = set(CODES) | {
    f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns
}


def named(text: str, package: str | None) -> Iterator[str]:
    """What a docstring names of our code, in full; `package` is the one that it is the docstring of, if it is one's."""
    for name in _NAME.findall(text):
        if name in _NO_MODULES or name.endswith(_FILES):
            continue
        if name.split(".")[0] in PACKAGES:
            yield name
        elif package is not None:
            yield f"{package}.{name}"


def is_there(name: str) -> bool:
    """Whether this is a folder, a module, or something that a module defines or imports."""
    place, parts = ROOT, name.split(".")
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    module = place / f"{parts[0]}.py" if parts else place
    if not module.exists():
        return False
    return len(parts) < 2 or re.search(rf"\b{parts[1]}\b", module.read_text()) is not None


def test_every_module_that_a_docstring_names_is_there() -> None:
    """Whoever follows a docstring to a module finds it there, also after it has moved."""
    found = {
        f"{module}: {name}"
        for module, tree in product_modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for name in named(
            ast.get_docstring(node) or "",
            module if isinstance(node, ast.Module) and (ROOT / module.replace(".", "/")).is_dir() else None,
        )
        if not is_there(name)
    }

    assert found == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("worker", True),
        ("worker.run", True),
        ("worker.run.recording", True),
        ("worker.run.recording.RunRecording", True),
        ("worker.recording", False),
        ("worker.run.recording.RunRecorder", False),
    ],
)
def test_what_is_there_is_told_from_what_is_not(name: str, expected: bool) -> None:
    """Folders, modules and what these define."""
    assert is_there(name) is expected
