"""A session's messages, page by page: each may be long."""

from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from control_api.http.answers.list_pages import list_pages
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import BULK_LOG
from store.sessions.log.session_log import LogEntry

Item = TypeVar("Item")


def message_pages(call: Call, present: Callable[[LogEntry], Item]) -> AsyncGenerator[tuple[list[Item], bool], None]:
    """The messages behind `after` of the query, `limit` of them at most, and whether there are more."""
    organization_id, session_id = call.organization_id, call.session_id
    return list_pages(
        (call.dependencies.sessions.log, call.request.app[BULK_LOG]),
        lambda log, after, limit: log.page(organization_id, session_id, kind="message", after=after, limit=limit),
        after=call.query["after"],
        limit=call.query["limit"],
        place=lambda entry: entry.seq,
        present=present,
    )
