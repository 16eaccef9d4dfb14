"""The product's own source, as syntax trees: for tests of rules that every module keeps."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("sessions", "audio", "store", "worker", "control_api", "parley")

_ROOT = Path(__file__).parents[3]


def product_modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the six packages, as (dotted name, syntax tree); a package's is that of its `__init__`."""
    for package in PACKAGES:
        for file in sorted((_ROOT / package).rglob("*.py")):
            name = ".".join(file.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(file.read_text(encoding="utf-8"), str(file))
