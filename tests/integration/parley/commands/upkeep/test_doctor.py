"""`parley doctor` and `parley migrate` on databases that are not fit: a sentence that says what to do."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from parley import cli
from store.database.server import examination


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Settings but for the database's URL."""
    monkeypatch.setenv("PARLEY_SECRET_KEY", "s" * 40)
    monkeypatch.setenv("PARLEY_DATA_DIR", str(tmp_path))
    return monkeypatch


@contextmanager
def _database(postgres_url: str, options: LiteralString, *then: LiteralString) -> Iterator[str]:
    """The URL of a new, empty database, for a role that is no superuser; `then` is run in it."""
    name = f"test-{secrets.token_hex(6)}"  # which has to be quoted in SQL
    names = {"name": sql.Identifier(name)}
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {name} LOGIN PASSWORD 'the password'").format(**names))
        conn.execute(sql.SQL("CREATE DATABASE {name} " + options).format(**names))
        inside = make_conninfo("", **{**conninfo_to_dict(postgres_url), "dbname": name})
        try:
            with psycopg.connect(inside, autocommit=True) as admin:
                for statement in then:
                    admin.execute(sql.SQL(statement).format(**names))
            yield make_conninfo(inside, user=name)
        finally:
            conn.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**names))
            conn.execute(sql.SQL("DROP ROLE {name}").format(**names))


def _follow(postgres_url: str, url: str, finding: str) -> None:
    """Run the statements that a finding gives, as a superuser in that database."""
    statements = re.findall(r"(?:GRANT|ALTER|CREATE|SET) .+?(?=;|\.$)", finding)
    assert statements, finding
    inside = make_conninfo(url, user=conninfo_to_dict(postgres_url)["user"])
    with psycopg.connect(inside, autocommit=True) as admin:
        for statement in statements:
            admin.execute(statement.encode())


_GRANT: LiteralString = "GRANT CREATE ON SCHEMA public TO {name}"


@pytest.mark.parametrize(
    ("options", "then", "advice"),
    [
        ("", [], "GRANT CREATE ON SCHEMA public TO"),
        ("", [_GRANT, "ALTER ROLE {name} SET default_transaction_read_only = on"], "Transactions are read-only here"),
        ("", [_GRANT, "ALTER DATABASE {name} SET default_transaction_read_only = on"], "ALTER DATABASE"),
        ("", [_GRANT, "ALTER ROLE {name} SET search_path = nowhere"], "CREATE SCHEMA nowhere AUTHORIZATION"),
        ("TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'", [_GRANT], "is LATIN1, which can't hold every text"),
        ("TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'", [_GRANT], "is SQL_ASCII, which can't hold every text"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    postgres_url: str,
    configure: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: LiteralString,
    then: list[LiteralString],
    advice: str,
) -> None:
    """The same from both commands, and no table is left behind."""
    with _database(postgres_url, options, *then) as url:
        configure.setenv("PARLEY_DATABASE_URL", url)
        assert cli.main(["migrate"]) == 1
        migrated = capsys.readouterr()
        assert cli.main(["doctor"]) == 1
        examined = capsys.readouterr().out
        with psycopg.connect(url) as conn:
            assert conn.execute("SELECT to_regclass('public.sessions')").fetchone() == (None,)

        assert advice in migrated.err
        assert len(migrated.err.splitlines()) == 1
        [wrong] = [line for line in examined.splitlines() if "WRONG" in line]
        assert advice in wrong
        if "encoding" not in wrong:
            _follow(postgres_url, url, wrong)
            assert cli.main(["migrate"]) == 0


def test_an_old_server_is_told_so(
    configure: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    """By its number: here the bound is moved beyond the server that there is."""
    configure.setattr(examination, "OLDEST_VERSION", 990000)
    configure.setenv("PARLEY_DATABASE_URL", database_url)
    assert cli.main(["migrate"]) == 1
    assert "Parley needs 17 or newer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://parley:the-password@127.0.0.1/parley", "must begin with postgresql://"),
        (
            "postgresql://parley:the-password@127.0.0.1:1/parley",
            "No connection to 127.0.0.1, port 1: Connection refused. Look whether",
        ),
        ("postgresql://parley:the-password@[127.0.0.1/parley", "can't be read"),
    ],
)
def test_a_wrong_url_is_said_without_its_password(
    configure: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    """Whatever the reason."""
    configure.setenv("PARLEY_DATABASE_URL", url)
    for command in ("migrate", "doctor"):
        assert cli.main([command]) in (1, 2)
        out, err = capsys.readouterr()
        assert said in out + err
        assert "the-password" not in out + err
        assert "Traceback" not in out + err


def test_a_role_without_rights_on_the_tables_is_noticed(
    configure: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], postgres_url: str
) -> None:
    """Somebody else migrated; and a database that is fit is said to be."""
    with _database(postgres_url, "", _GRANT) as url:
        admin = make_conninfo(url, user=conninfo_to_dict(postgres_url)["user"])
        configure.setenv("PARLEY_DATABASE_URL", admin)
        assert cli.main(["migrate"]) == 0
        assert cli.main(["doctor"]) == 0
        assert "WRONG" not in capsys.readouterr().out
        configure.setenv("PARLEY_DATABASE_URL", url)
        assert cli.main(["doctor"]) == 1
        [wrong] = [line for line in capsys.readouterr().out.splitlines() if "WRONG" in line]
        assert "GRANT SELECT, INSERT, UPDATE, DELETE" in wrong
        _follow(postgres_url, url, wrong)
        assert cli.main(["doctor"]) == 0
        with psycopg.connect(url) as conn:  # a job, as the API defers it: its id comes from a sequence
            conn.execute("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('short', 'nothing')")
            conn.rollback()
