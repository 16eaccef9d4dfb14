"""The tree that `sessions.errors` prints is the one that the code has: each exception, its module, its parent."""

import ast
import builtins
import re

import sessions.errors
from tests.support.rules.product_code import product_modules

_BRANCH = re.compile(
    r"    (?P<indent>(?:│   |    )*)(?P<twig>[├└]── )?(?P<name>\w+) +(?P<module>[a-z_]+(?:\.[a-z_]+)+)(?:: .+)?"
)

Tree = dict[str, tuple[str, str | None]]
"""By class: where it lives, and the class of ours that it is made of, if it is made of one."""


def printed() -> Tree:
    """What the docstring says."""
    tree: Tree = {}
    above: list[str] = []
    for line in (sessions.errors.__doc__ or "").splitlines():
        if branch := _BRANCH.fullmatch(line):
            depth = len(branch["indent"]) // 4 + (branch["twig"] is not None)
            del above[depth:]
            tree[branch["name"]] = (branch["module"], above[-1] if above else None)
            above.append(branch["name"])
    return tree


def written() -> Tree:
    """What the code says."""
    classes = {
        node.name: (module, [ast.unparse(base) for base in node.bases])
        for module, tree in product_modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }

    def is_exception(name: str) -> bool:
        if name in classes:
            return any(is_exception(base) for base in classes[name][1])
        builtin = getattr(builtins, name, None)
        return (isinstance(builtin, type) and issubclass(builtin, BaseException)) or name.endswith(
            ("Error", "Exception", "Warning")
        )

    return {
        name: (module, next((base for base in bases if base in classes), None))
        for name, (module, bases) in classes.items()
        if is_exception(name)
    }


def test_the_printed_tree_of_errors_is_the_one_of_the_code() -> None:
    """Who meets an error in a log finds in one place where it comes from and who is told."""
    assert printed() == written()
