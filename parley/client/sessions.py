"""What commands do with sessions, in requests."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from parley.client.api_client import LONGEST_WAIT_SECONDS, ApiClient, Resource

LONGEST_PAGE = 100


def session_path(session_id: str, below: str = "") -> str:
    """The path of a session; whatever the id is, it stays one segment."""
    return f"/v1/sessions/{quote(session_id, safe='')}{below}"


async def wait_until_terminal(api: ApiClient, session_id: str) -> Resource:
    """The session once it is over, however long that takes."""
    while True:
        session = await api.ask(
            "GET",
            session_path(session_id),
            params={"until": "terminal"},
            headers={"Prefer": f"wait={LONGEST_WAIT_SECONDS}"},
            patient=True,
        )
        if is_terminal(session):
            return session


def is_terminal(session: Resource) -> bool:
    """Whether it is ended, failed or canceled."""
    return session["finished_at"] is not None


async def newest_sessions(api: ApiClient, filters: Mapping[str, Any], *, limit: int | None) -> AsyncIterator[Resource]:
    """Sessions, newest first; all without a `limit`."""
    left = limit
    cursor: str | None = None
    while left is None or left > 0:
        size = LONGEST_PAGE if left is None else min(left, LONGEST_PAGE)
        params = {**filters, "limit": size} | ({"starting_after": cursor} if cursor else {})
        page = await api.ask("GET", "/v1/sessions", params=params)
        for session in page["data"]:
            yield session
        if not page["has_more"]:
            return
        cursor = page["next_cursor"]
        left = None if left is None else left - len(page["data"])
