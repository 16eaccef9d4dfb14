"""Our pages in a real Chromium, driven by Playwright: what they load, what they complain of, what axe finds in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.browsers.browser import OPTIONS, chromium_program

AXE = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
ELEMENT_SECONDS = 15.0  # test machines are busy
expect.set_options(timeout=ELEMENT_SECONDS * 1000)
_LOOPBACK = ("127.0.0.1", "localhost", "::1", None)
_GRAVE = ("serious", "critical")


class Sight:
    """One page, and what went on in it.

    Attributes:
        elsewhere: requests that left this machine; they are cut off.
        complaints: errors of scripts, of the content security policy, of what could not be loaded.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []

    async def watch(self) -> None:
        """Begin to look."""
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        await self.page.route(lambda url: urlsplit(url).hostname not in _LOOPBACK, self._cut)

    def _heard(self, kind: str, text: str) -> None:
        # A refused request shows in the console, and in the page, whose business it is.
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)

    async def _cut(self, route: Any) -> None:
        self.elsewhere.append(route.request.url)
        await route.abort()

    async def sign_in(self, base_url: str, key: str) -> None:
        """As a reader does, until what is behind it shows."""
        await self.try_key(base_url, key)
        await self.page.get_by_role("navigation", name="Pages", exact=True).wait_for()

    async def try_key(self, base_url: str, key: str) -> None:
        """Paste a key, and look no further."""
        await self.page.goto(base_url)
        await self.page.get_by_label("API key").fill(key)
        await self.page.get_by_role("button", name="Sign in").click()

    async def grave_findings(self) -> list[str]:
        """What axe calls serious or critical; its preloading makes style elements, which the policy forbids."""
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("axe.run({resultTypes: ['violations'], preload: false})")
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in _GRAVE
            for node in one["nodes"]
        ]

    async def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@asynccontextmanager
async def chromium(*options: str) -> AsyncIterator[Browser]:
    """A browser without a window; a missing one fails in CI and skips loudly elsewhere."""
    program = chromium_program()
    if not AXE.exists():
        pytest.fail("the pages were not built: make setup")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*OPTIONS, *options])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def looking(browser: Browser, *, width: int = 1200, height: int = 900, **context: Any) -> AsyncIterator[Sight]:
    """A new window of the browser, which has no memory of others."""
    opened = await browser.new_context(viewport={"width": width, "height": height}, **context)
    opened.set_default_timeout(ELEMENT_SECONDS * 1000)
    sight = Sight(await opened.new_page())
    await sight.watch()
    try:
        yield sight
    finally:
        await opened.close()
