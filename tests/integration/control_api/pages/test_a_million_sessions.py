"""The list of sessions in a browser where there are a million of them."""

import time
from collections.abc import Awaitable

import pytest
from playwright.async_api import expect

from bench.scenes.many_sessions import RARE_AGENT, RARE_CUSTOMER, RARE_TAG, fill
from tests.support.browsers.pages_browser import Sight, chromium, looking
from tests.support.running.api_server import MASTER_KEY, ApiServer

_SESSIONS = 1_000_000
_SMALL = 1000  # among which the rare ones are: the oldest of all
_ROWS = 25
_PAGES = 20
_SHOWN_SECONDS = 10.0  # 0.3 on a machine with nothing else to do
_BEFORE = "2023-11-14T22:30:01Z"  # when number 1001 was created
_NOTHING = "No session is like that"

# Filters in the address, and the title of the first session that they show.
_VIEWS = {
    "": f"Session {_SESSIONS}",
    "status=failed": f"Session {_SESSIONS - 24}",
    "status=running": _NOTHING,
    "status=created": f"Session {_SMALL - 38}",
    f"agent_id={RARE_AGENT}": f"Session {_SMALL - 39}",
    f"external_customer_id={RARE_CUSTOMER}": f"Session {_SMALL - 33}",
    f"tag={RARE_TAG}": f"Session {_SMALL}",
    f"tag={RARE_TAG}&external_customer_id={RARE_CUSTOMER}": _NOTHING,
    f"created_before={_BEFORE}": f"Session {_SMALL}",
    "archived=true": f"Session {_SESSIONS - 25}",
}


@pytest.mark.long
async def test_a_million_sessions_are_read_as_quickly_as_a_few(api: ApiServer, database_url: str) -> None:
    """By filters whose sessions are the oldest of all, page after page, and by the keyboard."""
    fill(database_url, small=_SMALL, wanted=_SESSIONS)
    async with chromium() as browser, looking(browser) as sight:
        await sight.sign_in(api.base_url, MASTER_KEY)
        for filters, first in _VIEWS.items():
            await sight.page.goto("about:blank")
            begun = sight.page.goto(f"{api.base_url}/sessions?{filters}")
            await _shown_soon(filters or "all of them", begun, sight, first)
        await _page_after_page(sight, api)
        await _by_the_keyboard(sight, api)
        assert (sight.elsewhere, sight.complaints) == ([], [])


async def _shown_soon(what: str, begun: Awaitable[object], sight: Sight, first: str) -> None:
    started = time.monotonic()
    await begun
    await expect(sight.page.locator(".cell-title a, .empty h2").first).to_have_text(first)
    seconds = time.monotonic() - started
    print(f"{what}: {seconds:.2f} s")  # noqa: T201 - the figure
    assert seconds < _SHOWN_SECONDS, what


async def _page_after_page(sight: Sight, api: ApiServer) -> None:
    """As they were made, without one that is left out or twice; those that are archived are not among them."""
    page = sight.page
    await page.goto(f"{api.base_url}/sessions?status=failed")
    titles = page.locator(".cell-title a")
    numbers: list[int] = []
    for number in range(_PAGES):
        await expect(titles).to_have_count(_ROWS)
        numbers += [int(title.split()[1]) for title in await titles.all_inner_texts()]
        first = next(wanted for wanted in range(numbers[-1] - 1, 0, -1) if wanted % 40 in (3, 16))
        older = page.get_by_role("button", name="Older").click()
        await _shown_soon(f"page {number + 2}", older, sight, f"Session {first}")
    assert numbers == [number for number in range(_SESSIONS, numbers[-1] - 1, -1) if number % 40 in (3, 16)]
    await _shown_soon("back", page.go_back(), sight, f"Session {numbers[-_ROWS]}")
    newest = page.get_by_role("link", name="Newest").click()
    await _shown_soon("the newest again", newest, sight, f"Session {numbers[0]}")


async def _by_the_keyboard(sight: Sight, api: ApiServer) -> None:
    """Down the list, into a session, and back to where one was."""
    page = sight.page
    await page.goto(f"{api.base_url}/sessions")
    await page.get_by_role("link", name=f"Session {_SESSIONS}", exact=True).focus()
    for key in ("ArrowDown", "j", "j", "k"):
        await page.keyboard.press(key)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(f"Session {_SESSIONS - 2}")
