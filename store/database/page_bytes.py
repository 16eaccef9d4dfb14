"""Pages that are bounded in bytes, whatever their rows hold: what a reader has in memory at a time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, literal, select

PAGE_BYTES = 128 << 10
ROWS_AT_ONCE = 200
_ROW_BYTES = 512  # what a row has besides its texts


def of_bounded_bytes(
    rows: Select[Any], *, order: Sequence[str], texts: Sequence[str], descending: bool = False
) -> Select[Any]:
    """The first of `rows` that have `PAGE_BYTES` together, and one at least; `looked_at` says how many there were.

    Args:
        rows: with an order and a limit.
        order: the columns of the order, whose names are the rows' own.
        texts: columns of text or JSON, which may be long.
    """
    found = rows.subquery()
    size: ColumnElement[Any] = literal(_ROW_BYTES)
    for name in texts:
        size = size + func.coalesce(func.octet_length(cast(found.c[name], Text)), 0)

    def ordered(columns: Any) -> list[Any]:
        return [columns[name].desc() if descending else columns[name] for name in order]

    sized = select(
        found,
        size.label("bytes"),
        func.sum(size).over(order_by=ordered(found.c)).label("bytes_so_far"),
        func.count().over().label("looked_at"),
    ).subquery()
    columns = [sized.c[name] for name in (*found.c.keys(), "looked_at")]
    return select(*columns).where(sized.c.bytes_so_far - sized.c.bytes < PAGE_BYTES).order_by(*ordered(sized.c))
