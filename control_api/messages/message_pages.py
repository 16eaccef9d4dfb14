"""A session's messages, page by page: each may be long."""

from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import BULK_LOG
from store.log.session_log import LogEntry

Item = TypeVar("Item")


async def message_pages(
    call: Call, present: Callable[[LogEntry], Item]
) -> AsyncGenerator[tuple[list[Item], bool], None]:
    """The messages behind `after` of the query, `limit` of them at most, and whether there are more."""
    log, left, after = call.dependencies.sessions.log, call.query["limit"], call.query["after"]
    while left:
        found, has_more = await log.page(call.organization_id, call.session_id, kind="message", after=after, limit=left)
        yield [present(entry) for entry in found], has_more
        if not has_more:
            return
        log, left, after = call.request.app[BULK_LOG], left - len(found), found[-1].seq
