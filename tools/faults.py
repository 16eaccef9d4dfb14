"""The tests that docs/faults.md names: `python -m tools.faults` runs them, few at once, as they judge by time."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "faults.md"
_TEST = re.compile(r"`(tests/\S+\.py::\w+)`")


def named_tests() -> list[str]:
    """pytest's ids, in the page's order."""
    return _TEST.findall(PAGE.read_text())


def unproven() -> int:
    """How many faults have no test."""
    return sum(line.rstrip(" |").endswith("**unproven**") for line in PAGE.read_text().splitlines() if line[0:1] == "|")


if __name__ == "__main__":
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *named_tests(), "-n", "2", "--dist", "worksteal"]))
