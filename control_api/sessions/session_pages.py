"""Lists of sessions, page by page: each session may hold as much as a body has room for."""

from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from control_api.http.answers.list_pages import list_pages
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import BULK_QUERIES
from sessions.session import Session
from store.sessions.filter import SessionFilter

Item = TypeVar("Item")


def session_pages(
    call: Call, wanted: SessionFilter, present: Callable[[Session], Item], *, participants: bool = False
) -> AsyncGenerator[tuple[list[Item], bool], None]:
    """The sessions behind `starting_after` of the query, `limit` of them at most, and whether there are more."""
    organization_id = call.organization_id
    return list_pages(
        (call.dependencies.sessions.queries, call.request.app[BULK_QUERIES]),
        lambda queries, after, limit: queries.list(
            organization_id, wanted, limit=limit, starting_after=after, participants=participants
        ),
        after=call.query["starting_after"],
        limit=call.query["limit"],
        place=lambda session: session.id,
        present=present,
    )
