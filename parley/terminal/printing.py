"""Printing documents and tables."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from parley.terminal.visible import visible


def print_document(document: Any) -> None:
    """One JSON document: indented on a terminal, else on one line."""
    print(json.dumps(document, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None), flush=True)


def json_line(document: Any) -> str:
    """One JSON document on one line."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def print_json_line(document: Any) -> None:
    """`json_line`, at once: a stream has one per line."""
    print(json_line(document), flush=True)


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns side by side; the head is left out in a pipe."""
    shown = [[visible(cell) for cell in row] for row in rows]
    lines = [list(head), *shown] if sys.stdout.isatty() else shown
    widths = [max((len(line[column]) for line in lines), default=0) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def say(text: str) -> None:
    """A remark for whoever looks: on stderr, so that stdout holds only what was asked for."""
    print(visible(text), file=sys.stderr, flush=True)
