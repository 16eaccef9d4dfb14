"""SQL that is compiled once in a process, whatever number of engines asks for it."""

from typing import Any

from sqlalchemy import Engine, util

_KEPT = 2000  # more than the product has


class SharedStatements(util.LRUCache[Any, Any]):
    """A cache of compiled statements for all engines of one kind of server.

    An engine has its own, and its process keeps that engine for good. Each test opens engines anew: a twelfth of
    what tests of the API computed was to compile the same statements again. SQLAlchemy's keys begin with the engine's
    dialect, which is an object of its own in each engine; its class says as much here.
    """

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        """What was compiled for any dialect of that class."""
        return super().get(_of_the_kind(key), default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__(_of_the_kind(key), value)


def _of_the_kind(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return (type(dialect), *rest)


def share_statements() -> None:
    """From here on, by all engines that are made in this process, but for those that shall keep none."""
    shared = SharedStatements(_KEPT)

    def keep(engine: Engine, own: Any) -> None:
        engine.__dict__["_kept"] = None if own is None else shared

    kind: Any = Engine
    kind._compiled_cache = property(lambda engine: engine.__dict__["_kept"], keep)
