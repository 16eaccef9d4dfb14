"""SQLAlchemy without its ORM, which Parley does not use: 6 MB less in every process that keeps a connection.

`sqlalchemy.ext.asyncio` is needed for its engine, and imports its sessions as well, which import the ORM.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

_PACKAGE = "sqlalchemy.ext.asyncio"
_SESSIONS = (f"{_PACKAGE}.session", f"{_PACKAGE}.scoping")


class _Later(ModuleType):
    """Stands in for a module while the package that imports names from it is loaded."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):  # the import system asks what kind of module this is
            raise AttributeError(name)
        self.asked.append(name)


def load_without_orm() -> None:
    """Import `sqlalchemy.ext.asyncio`, but what needs the ORM only when somebody asks for it.

    To be called before anything else imports the package: where it is loaded already this does nothing.
    """
    if _PACKAGE in sys.modules:
        return
    later = {name: _Later(name) for name in _SESSIONS}
    sys.modules.update(later)
    try:
        package = importlib.import_module(_PACKAGE)
    finally:
        for name in _SESSIONS:
            del sys.modules[name]
    origins = {name: module for module, one in later.items() for name in one.asked}
    for name in origins:
        delattr(package, name)

    def get(name: str) -> Any:
        """An attribute that the package does not have (PEP 562)."""
        if name not in origins:
            raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
        return getattr(importlib.import_module(origins[name]), name)

    vars(package)["__getattr__"] = get
