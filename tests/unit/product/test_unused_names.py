"""What only tests use is theirs: every name that a module of the product defines is used by the product itself."""

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.support.rules.product_code import product_modules

Module = tuple[str, ast.Module]


def _defined(tree: ast.Module) -> Iterator[str]:
    """The names of a module's functions, classes and constants."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _used(module: str, tree: ast.Module) -> Iterator[str]:
    """What a module uses, in full: of its own, and of those that it imports."""
    imported = dict[str, str]()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(source), names=names):
                imported |= {one.asname or one.name: f"{source}.{one.name}" for one in names}
            case ast.Import(names=names):
                imported |= {one.asname or one.name: one.name for one in names}
    yield from imported.values()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                yield f"{module}.{name}"
            case ast.Attribute(value=value, attr=name):
                base = ast.unparse(value)
                yield f"{imported.get(base, base)}.{name}"


def unused(modules: Iterable[Module]) -> set[str]:
    """What is defined at the top of a module, and used by none of them; revisions are read by Alembic."""
    modules = list(modules)
    used = {name for module, tree in modules for name in _used(module, tree)}
    defined = {
        f"{module}.{name}"
        for module, tree in modules
        if ".migrations." not in module
        for name in _defined(tree)
        if name != "__all__"
    }
    return defined - used


def test_the_product_uses_what_it_defines() -> None:
    """Nobody keeps up, or reads, what is there for tests alone."""
    assert unused(product_modules()) == set()


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("", {"sessions.one.limit"}),
        ("from sessions.one import limit", set()),
        ("from sessions import one\n\none.limit()", set()),
        ("import sessions.one\n\nsessions.one.limit()", set()),
        ("from sessions.two import limit", {"sessions.one.limit"}),
    ],
)
def test_who_uses_a_name_imports_it_or_its_module(other: str, expected: set[str]) -> None:
    """The same name of another module is another one."""
    one = ast.parse("MOST = 3\n\ndef limit():\n    return MOST")
    assert unused([("sessions.one", one), ("store.other", ast.parse(other))]) == expected
