"""The tests that docs/faults.md names: `python -m tools.faults` runs them, few at once, as they judge by time."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "faults.md"
_TEST = re.compile(r"`(tests/\S+\.py::\w+)`")


def rows() -> list[str]:
    """The lines of the faults' own table, without its header."""
    page, _, _ = PAGE.read_text().partition("\n## ")
    return [line for line in page.splitlines() if line.startswith("| ")][1:]


def named_tests() -> list[str]:
    """pytest's ids, in the page's order."""
    return [name for row in rows() for name in _TEST.findall(row)]


def unproven() -> int:
    """How many faults have no test."""
    return sum(row.rstrip(" |").endswith("**unproven**") for row in rows())


if __name__ == "__main__":
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *named_tests(), "-n", "2", "--dist", "worksteal"]))
