"""SQLAlchemy's asyncio extension without the ORM, in programs of their own: here it is loaded already."""

import subprocess
import sys

_BEGIN = """
import sys
from store.database.without_orm import load_without_orm
load_without_orm()
"""


def said_by(code: str) -> list[str]:
    """The words that a program prints that has begun so."""
    argv = [sys.executable, "-c", _BEGIN + code]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout.split()


def test_the_engine_is_there_and_the_orm_is_not() -> None:
    """What the pool imports loads none of it, and is the library's own."""
    code = "import store.database.database as d\nprint(d.AsyncEngine.__module__, 'sqlalchemy.orm' in sys.modules)"
    assert said_by(code) == ["sqlalchemy.ext.asyncio.engine", "False"]


def test_whoever_asks_for_a_session_gets_the_real_one() -> None:
    """By its package or by its module, with the ORM."""
    code = (
        "from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session\n"
        "from sqlalchemy.ext.asyncio.session import AsyncSession as the_same\n"
        "print(AsyncSession is the_same, async_scoped_session.__name__, 'sqlalchemy.orm' in sys.modules)"
    )
    assert said_by(code) == ["True", "async_scoped_session", "True"]


def test_what_the_package_does_not_have_is_missing_as_ever() -> None:
    """A misspelt name loads nothing."""
    code = "import sqlalchemy.ext.asyncio as a\nprint(hasattr(a, 'AsyncSesion'), 'sqlalchemy.orm' in sys.modules)"
    assert said_by(code) == ["False", "False"]


def test_where_the_package_is_loaded_already_nothing_happens() -> None:
    """It keeps what it has."""
    code = (
        "import sqlalchemy.ext.asyncio as a\n"
        "a.AsyncSession\n"
        "before = dict(vars(a))\n"
        "load_without_orm()\n"
        "print(before == vars(a))"
    )
    assert said_by(code) == ["True"]
