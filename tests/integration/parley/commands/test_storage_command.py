"""`parley storage`, on a real database and real folders."""

import shutil
from pathlib import Path

import pytest

from parley import cli
from tests.support.services.lacking_storage import lacking_storage


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    for name, value in {"DATABASE_URL": database_url, "SECRET_KEY": "s" * 40, "DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"PARLEY_{name}", value)


def test_a_storage_is_checked_and_adopted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first one is ours; an empty one in its place is not, until somebody says so."""
    assert cli.main(["storage", "check"]) == 0
    shutil.rmtree(tmp_path / "objects")
    assert cli.main(["storage", "check"]) == 1
    assert "parley storage adopt" in capsys.readouterr().err
    assert cli.main(["storage", "adopt"]) == 0
    assert "from now on" in capsys.readouterr().out
    assert cli.main(["storage", "adopt"]) == 0
    assert "already" in capsys.readouterr().out
    assert cli.main(["storage", "check"]) == 0


def test_a_check_says_what_a_storage_lacks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """And is content as long as recordings can be kept there; a wrong secret is named."""
    with lacking_storage("create_only", "bulk_delete_405") as storage:
        monkeypatch.setenv("PARLEY_STORAGE_URL", storage.url)
        for name, value in storage.variables.items():
            monkeypatch.setenv(name, value)
        assert cli.main(["storage", "check"]) == 0
        said = capsys.readouterr().out
        assert "It lacks create_only, which can be done without" in said
        assert "It lacks bulk_delete, which can be done without" in said
        storage.lacks = {"multipart"}
        assert cli.main(["storage", "check"]) == 1
        assert "It lacks multipart, which is needed" in capsys.readouterr().out
        storage.lacks = {"secret"}
        assert cli.main(["storage", "check"]) == 1
        assert "the secret key is wrong" in capsys.readouterr().err
