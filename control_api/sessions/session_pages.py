"""Lists of sessions, page by page: each session may hold as much as a body has room for."""

from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import BULK_QUERIES
from sessions.session import Session
from store.sessions.filter import SessionFilter

Item = TypeVar("Item")


async def session_pages(
    call: Call, wanted: SessionFilter, present: Callable[[Session], Item]
) -> AsyncGenerator[tuple[list[Item], bool], None]:
    """The sessions behind `starting_after` of the query, `limit` of them at most, and whether there are more."""
    queries, left, after = call.dependencies.sessions.queries, call.query["limit"], call.query["starting_after"]
    while left:
        found, has_more = await queries.list(call.organization_id, wanted, limit=left, starting_after=after)
        yield [present(session) for session in found], has_more
        if not has_more or not found:
            return
        queries, left, after = call.request.app[BULK_QUERIES], left - len(found), found[-1].id
