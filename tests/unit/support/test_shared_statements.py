"""Statements that all engines of a process share."""

from typing import Any

from sqlalchemy import bindparam, create_engine, literal, select

from tests.support.test_run.shared_statements import SharedStatements


def _asking() -> Any:
    return select(literal("shared statements of a test"), bindparam("asked", type_=None))


def _compiled_by(url: str) -> Any:
    """What an engine of its own takes for that statement; it connects to nothing."""
    engine: Any = create_engine(url)
    statement: Any = _asking()
    key = statement._generate_cache_key()
    compiled, *_ = statement._compile_w_cache(
        engine.dialect, compiled_cache=engine._compiled_cache, column_keys=["asked"], for_executemany=False
    )
    assert key is not None
    assert isinstance(engine._compiled_cache, SharedStatements)
    return compiled


def test_engines_of_one_kind_compile_a_statement_once() -> None:
    """The second one finds what the first one made."""
    first, second = _compiled_by("postgresql+psycopg://one"), _compiled_by("postgresql+psycopg://two")
    assert second is first
    assert str(first) == str(_asking().compile(dialect=first.dialect))


def test_another_kind_compiles_its_own() -> None:
    """What is right for one server is wrong for another."""
    ours, sqlites = _compiled_by("postgresql+psycopg://one"), _compiled_by("sqlite://")
    assert sqlites is not ours
    assert str(sqlites) != str(ours)


def test_an_engine_that_shall_keep_nothing_keeps_nothing() -> None:
    """As SQLAlchemy has it."""
    engine: Any = create_engine("sqlite://", query_cache_size=0)
    assert engine._compiled_cache is None
