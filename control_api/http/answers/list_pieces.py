"""The one form of lists (`control_api.http.answers.page`), written page by page."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import TypeVar

from control_api.http.answers.json_answer import to_json
from control_api.http.answers.models import AnswerModel

Item = TypeVar("Item", bound=AnswerModel)


async def list_pieces(
    pages: AsyncIterator[tuple[Sequence[Item], bool]], cursor: Callable[[Item], str] | None = None
) -> AsyncGenerator[bytes, None]:
    """The body of a list, byte for byte as `Page` would have it.

    Args:
        pages: items, and whether there is more behind them; the last page says it for the list.
        cursor: what asks for the items behind the given one; None: the list is always answered as a whole.
    """
    written, separator, following = bytearray(b'{"object":"list","data":['), b"", None
    async for items, has_more in pages:
        for item in items:
            written += separator + to_json(item)
            separator = b","
        following = cursor(items[-1]) if has_more and items and cursor is not None else None
        yield bytes(written)
        written.clear()
    rest = json.dumps({"has_more": following is not None, "next_cursor": following}, separators=(",", ":"))
    yield bytes(written) + b"]," + rest[1:].encode()
