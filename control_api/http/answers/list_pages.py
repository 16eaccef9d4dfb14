"""The pages of one answered list: each holds as much as memory allows, all together as many as were asked for."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

Reader = TypeVar("Reader")
Row = TypeVar("Row")
Place = TypeVar("Place")
Item = TypeVar("Item")


async def list_pages(
    readers: tuple[Reader, Reader],
    read: Callable[[Reader, Place, int], Awaitable[tuple[Sequence[Row], bool]]],
    *,
    after: Place,
    limit: int,
    place: Callable[[Row], Place],
    present: Callable[[Row], Item],
) -> AsyncGenerator[tuple[list[Item], bool], None]:
    """At most `limit` items behind `after`, and with each page whether there are more behind it.

    Args:
        readers: who reads the first page, and who the others: long answers have a pool of their own.
        read: some of the rows behind a place, at most so many, and whether there are more.
        place: of a row, behind which to go on.
    """
    reader, left = readers[0], limit
    while left:
        rows, has_more = await read(reader, after, left)
        yield [present(row) for row in rows], has_more
        if not has_more or not rows:
            return
        reader, left, after = readers[1], left - len(rows), place(rows[-1])
