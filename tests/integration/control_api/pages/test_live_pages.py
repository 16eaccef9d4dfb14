"""Pages that change as sessions do: by the stream of events, and by asking where there is none."""

import asyncio
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Route

from sessions.ids import parse_id
from store.sessions.log.session_log import NewLogEntry, SessionLog
from tests.support.browsers.pages_browser import Sight, chromium, looking
from tests.support.running.api_server import MASTER_KEY, ApiServer

_LONGER_THAN_POLLING_MS = 4500  # pages without a stream ask every 2 s
_WINDOWS = 6  # a busy machine takes its time to read
_STREAMS = "**/events/stream*"


async def test_pages_follow_the_stream_of_events(api: ApiServer) -> None:
    """Nothing is asked while nothing happens; what happens shows."""
    session = await api.create("room", title="First")
    async with chromium() as browser:
        async with looking(browser) as sight:
            asked = _asked(sight)
            await _lists(sight, api, asked)
            await _shows(sight, api, session["id"], asked)
            assert (sight.elsewhere, sight.complaints) == ([], [])
        async with looking(browser) as sight:
            await _comes_back(sight, api)
        async with looking(browser) as sight:
            await _asks_where_there_is_no_stream(sight, api)


def _asked(sight: Sight) -> list[str]:
    """The paths that the page asks for, from now on."""
    asked: list[str] = []
    sight.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    return asked


async def _lists(sight: Sight, api: ApiServer, asked: list[str]) -> None:
    async with sight.page.expect_response(_STREAMS):
        await sight.sign_in(api.base_url, MASTER_KEY)
    await sight.page.get_by_role("link", name="First").wait_for()
    await _is_quiet(sight, asked)
    await api.create("room 2", title="Second")
    await sight.page.get_by_role("link", name="Second").wait_for()


async def _shows(sight: Sight, api: ApiServer, session_id: str, asked: list[str]) -> None:
    async with sight.page.expect_response(_STREAMS):
        await sight.page.goto(f"{api.base_url}/sessions/{session_id}")
    await sight.page.get_by_text("Waiting for a worker").first.wait_for()
    await sight.page.get_by_text("Events", exact=True).click()
    await sight.page.get_by_role("cell", name="session.queued").wait_for()
    await _is_quiet(sight, asked)
    asked.clear()
    entry = NewLogEntry(kind="segment", role="user", text="As it is said", source="speech", identity="a", start_ms=0)
    await SessionLog(api.dependencies.db).append(parse_id("sess", session_id), [entry])
    await sight.page.get_by_text("As it is said").wait_for()
    assert asked == []
    await api.call("POST", f"/v1/sessions/{session_id}/cancel", {})
    await sight.page.get_by_text("Canceled").first.wait_for()
    await sight.page.get_by_role("cell", name="session.canceled").wait_for()


async def _is_quiet(sight: Sight, asked: list[str]) -> None:
    """Once what the stream began with is read, nothing is asked for longer than a page without a stream would wait."""
    for _ in range(_WINDOWS):
        before = len(asked)
        await sight.page.wait_for_timeout(_LONGER_THAN_POLLING_MS)
        if len(asked) == before:
            return
    pytest.fail(f"still asked: {asked[before:]}")


async def _comes_back(sight: Sight, api: ApiServer) -> None:
    """A stream that is cut off goes on where it was."""
    newest = (await api.call("GET", "/v1/events?limit=100")).content["cursor"]
    heads: list[dict[str, str]] = []

    async def cut(route: Route) -> None:
        heads.append(await route.request.all_headers())
        if len(heads) > 1:
            await route.continue_()
        else:
            body = f"retry: 50\nid: {newest}\n\n"
            await route.fulfill(status=200, content_type="text/event-stream", body=body)

    await sight.page.route(_STREAMS, cut)
    again = sight.page.wait_for_event("response", lambda response: len(heads) > 1 and "/stream" in response.url)
    async with asyncio.TaskGroup() as group:
        group.create_task(sight.sign_in(api.base_url, MASTER_KEY))
        group.create_task(again)
    assert [head.get("last-event-id") for head in heads] == [None, newest]


async def _asks_where_there_is_no_stream(sight: Sight, api: ApiServer) -> None:
    async def refuse(route: Route) -> None:
        await route.abort()

    await sight.page.route(_STREAMS, refuse)
    await sight.sign_in(api.base_url, MASTER_KEY)
    await sight.page.get_by_role("link", name="Second").wait_for()
    await api.create("room 3", title="Third")
    await sight.page.get_by_role("link", name="Third").wait_for()
