"""Prose is wrapped: what a page says can be read beside code, and a change of it shows in few lines."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_MOST_COLUMNS = 120
_MADE_FROM_CODE = {"docs/api.md", "docs/codes.md", "docs/settings.md"}


def long_lines(page: str) -> Iterator[int]:
    """The numbers of lines of prose that are too long; tables, blocks of code and comments may be."""
    in_code = False
    for number, line in enumerate(page.splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and len(line) > _MOST_COLUMNS and not line.lstrip().startswith(("|", "<!--")):
            yield number


def test_lines_of_prose_have_120_columns_at_most() -> None:
    """On every page that is written by hand."""
    done = subprocess.run(["git", "ls-files", "*.md"], cwd=_ROOT, capture_output=True, text=True, check=True)
    pages = [path for path in done.stdout.splitlines() if path not in _MADE_FROM_CODE and (_ROOT / path).exists()]

    assert {"README.md", "CHANGELOG.md", "docs/faults.md"} <= set(pages)
    assert [f"{path}:{number}" for path in pages for number in long_lines((_ROOT / path).read_text())] == []


def test_only_prose_counts() -> None:
    """What can't be wrapped is left alone."""
    long = "x" * (_MOST_COLUMNS + 1)
    page = f"{long}\n| {long} |\n<!-- {long} -->\n```sh\n{long}\n```\n- {long}\n{long[1:]}"
    assert list(long_lines(page)) == [1, 7]
