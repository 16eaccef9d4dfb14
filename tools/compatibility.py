"""What Parley was run with: drills note it in docs/compatibility.json, and docs/compatibility.md shows it in tables.

They note nothing unless `NOTE_RUNS` is set, as `make compatibility` does. A row stays until its drill has run again.
"""

import json
import os
import re
from pathlib import Path
from typing import Literal

NOTES = Path(__file__).resolve().parents[1] / "docs" / "compatibility.json"
Kind = Literal["storage", "pooler", "database", "proxy", "client", "browser"]
Notes = dict[str, dict[str, dict[str, str]]]  # kind → name → version, run, lacks


def note(kind: Kind, name: str, *, version: str, run: str, lacks: str = "", notes: Path = NOTES) -> None:
    """Write down that a drill has passed with one of them, in the place of what was noted before.

    Args:
        run: what was done with it.
        lacks: what it can't do, or needs; empty: nothing.
    """
    if not os.environ.get("NOTE_RUNS"):
        return
    noted = read(notes)
    noted.setdefault(kind, {})[name] = {"version": version, "run": run, "lacks": lacks}
    notes.write_text(json.dumps(noted, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read(notes: Path = NOTES) -> Notes:
    """All that was noted."""
    found: Notes = json.loads(notes.read_text()) if notes.exists() else {}
    return found


def with_tables(page: str, noted: Notes) -> str:
    """The page, with each `<!-- runs: kind -->` … `<!-- end -->` filled anew."""

    def table(match: re.Match[str]) -> str:
        kind = match[1]
        rows = [f"| {kind} | what was run | what it lacks |", "| --- | --- | --- |"]
        for name, one in sorted(noted.get(kind, {}).items(), key=lambda item: item[0].lower()):
            rows.append(f"| {name} {one['version']} | {one['run']} | {one['lacks'] or '–'} |")
        return "\n".join([f"<!-- runs: {kind} -->\n", *rows, "\n<!-- end -->"])

    return re.sub(r"<!-- runs: (\w+) -->.*?<!-- end -->", table, page, flags=re.DOTALL)
