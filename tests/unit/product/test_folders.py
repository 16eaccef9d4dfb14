"""A listing of any folder, of code or of pages, can be taken in at a glance."""

import subprocess
from collections import defaultdict
from pathlib import Path, PurePosixPath

from tests.support.rules.product_code import PACKAGES

_ROOT = Path(__file__).parents[3]
_FOLDERS = (*PACKAGES, "bench", "docs", "tests", "tools", "typings", "web")
_AT_MOST = 14
_ONE_LIST = {"store/database/migrations/versions"}  # a chain of revisions: numbered, and only its end is read


def listings(paths: list[str]) -> dict[str, set[str]]:
    """What `ls` shows of every such folder among these files, less `__init__.py`."""
    shown = defaultdict[str, set[str]](set)
    for path in paths:
        parts = PurePosixPath(path).parts
        for depth in range(1, len(parts)):
            if parts[0] in _FOLDERS and parts[depth] != "__init__.py":
                shown["/".join(parts[:depth])].add(parts[depth])
    return shown


def test_no_folder_has_more_than_fourteen_named_entries() -> None:
    """With more of them, some belong together in a room of their own."""
    done = subprocess.run(["git", "ls-files"], cwd=_ROOT, capture_output=True, text=True, check=True)
    shown = listings([path for path in done.stdout.splitlines() if (_ROOT / path).exists()])

    assert {"worker", "sessions/settings", "tests/e2e/faults"} <= shown.keys()
    assert {folder: len(names) for folder, names in shown.items() if len(names) > _AT_MOST} == {
        folder: len(shown[folder]) for folder in _ONE_LIST
    }


def test_files_and_folders_count_alike() -> None:
    """One entry is one name that a reader takes in."""
    assert listings(["worker/__init__.py", "worker/run/a.py", "worker/run/b.py", "worker/c.py", "README.md"]) == {
        "worker": {"run", "c.py"},
        "worker/run": {"a.py", "b.py"},
    }
