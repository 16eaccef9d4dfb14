"""Tables and goal lines on stdout."""

from collections.abc import Sequence


def print_title(text: str) -> None:
    """A heading."""
    print(f"\n== {text}", flush=True)


def print_note(text: str) -> None:
    """A remark on how something was measured."""
    print(f"   {text}", flush=True)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns of equal width: the first one left-aligned, the others right-aligned."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, ["-" * width for width in widths], *rows):
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("   " + "  ".join([row[0].ljust(len(first)), *others]), flush=True)


def print_goal(text: str, value: float, *, at_most: float | None = None, at_least: float | None = None) -> None:
    """Whether a goal is met; a value that is not a number meets none.

    Args:
        text: what `value` is.
        value: what was measured.
        at_most: the goal, or
        at_least: the goal.
    """
    if at_most is not None:
        met, goal = value <= at_most, f"≤ {at_most:g}"
    else:
        assert at_least is not None
        met, goal = value >= at_least, f"≥ {at_least:g}"
    print(f"   {'met    ' if met else 'NOT MET'}  {text}: {value:.3g} (goal {goal})", flush=True)
