"""Webhooks in a browser: made, tested, disabled, replayed, deleted, and what became of each delivery."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Locator, expect

from tests.support.browsers.pages_browser import Sight, chromium, looking
from tests.support.browsers.pages_scene import ATTACK
from tests.support.running.api_server import MASTER_KEY, ApiServer, api_server
from tests.support.running.webhooks import Receiver, post_office, receiver


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[ApiServer]:
    """A server that lets webhooks go anywhere."""
    async with api_server(
        database_url, tmp_path, webhook_allow_http=True, webhook_allow_private_hosts=True, webhook_ports=(0,)
    ) as server:
        yield server


async def test_webhooks_are_made_watched_and_sent_again(api: ApiServer, database_url: str) -> None:
    """Against a real receiver, which refuses at first with an attack; then on a phone, light and dark."""
    async with (
        receiver() as hooks,
        post_office(database_url),
        chromium() as browser,
        looking(browser) as sight,
    ):
        hooks.answers["/hook"] = _refuse
        await sight.sign_in(api.base_url, MASTER_KEY)
        secret = await _makes(sight, hooks)
        card = sight.page.get_by_role("region", name=ATTACK, exact=True)
        await _sees_a_failed_delivery(sight, card, api, hooks, secret)
        del hooks.answers["/hook"]
        await _sends_it_again(card, hooks, secret)
        await _disables_enables_and_replays(sight, card, hooks)
        for scheme in ("light", "dark"):
            await sight.page.set_viewport_size({"width": 390, "height": 800})
            await sight.page.emulate_media(color_scheme=scheme)
            assert await sight.overflow() <= 0
            assert await sight.grave_findings() == [], scheme
        await card.get_by_role("button", name="Delete", exact=True).click()
        await card.get_by_role("button", name="Delete it").click()
        await sight.page.get_by_text("Nothing is posted anywhere").wait_for()
        assert await sight.page.evaluate("window.hurt") is None
        assert (sight.elsewhere, sight.complaints) == ([], [])


async def _refuse(_: web.Request) -> web.Response:
    return web.Response(status=503, text=ATTACK)


async def _makes(sight: Sight, hooks: Receiver) -> str:
    """Of sessions' events only; the secret that is shown is what signs."""
    page = sight.page
    await page.get_by_role("link", name="Webhooks").click()
    await page.get_by_role("button", name="New endpoint").click()
    form = page.get_by_role("form", name="New endpoint")
    await form.get_by_label("URL").fill(hooks.url + "/hook")
    await form.get_by_label("What it is for").fill(ATTACK)
    await form.get_by_label("these").check()
    await expect(form.get_by_label("session.*")).to_be_checked()
    await form.get_by_role("button", name="Make the endpoint").click()
    secret = await page.get_by_role("status").locator("code").inner_text()
    await page.get_by_role("button", name="I have it").click()
    return secret


async def _sees_a_failed_delivery(sight: Sight, card: Locator, api: ApiServer, hooks: Receiver, secret: str) -> None:
    """With each attempt, the status and what was answered, which stays text."""
    await card.get_by_role("button", name="Test").click()
    await expect(card.get_by_role("status")).to_contain_text("Test: Given up")
    await expect(card.get_by_role("status")).to_contain_text(ATTACK)
    await api.create("room")
    came = await hooks.until(1 + 3 + 3)  # the test; session.created and session.queued, three times each
    assert {request.verified(secret)["type"] for request in came} == {
        "webhook_endpoint.test",
        "session.created",
        "session.queued",
    }
    await card.get_by_text("Deliveries", exact=True).click()
    failed = card.get_by_role("listitem").filter(has_text="session.created")
    await expect(failed.locator("summary")).to_contain_text("Given up")
    await failed.locator("summary").click()
    await expect(failed.locator(".attempts > li")).to_have_count(3)
    await expect(failed.locator(".attempts > li").first).to_contain_text("503")
    await expect(failed.locator("pre").first).to_have_text(ATTACK)
    assert await sight.page.evaluate("window.hurt") is None


async def _sends_it_again(card: Locator, hooks: Receiver, secret: str) -> None:
    before = len(hooks.received)
    row = card.get_by_role("listitem").filter(has_text="session.created")
    await row.get_by_role("button", name="Send it again").click()
    await expect(row.locator("summary")).to_contain_text("Delivered")
    [*_, last] = await hooks.until(before + 1)
    assert last.verified(secret)["type"] == "session.created"


async def _disables_enables_and_replays(sight: Sight, card: Locator, hooks: Receiver) -> None:
    """The new secret signs beside the old one; a replay brings the session's events once more."""
    await card.get_by_role("button", name="Disable").click()
    await card.get_by_text("Somebody disabled it.").wait_for()
    await card.get_by_role("button", name="Enable").click()
    await card.get_by_role("button", name="Rotate secret").click()
    await card.get_by_role("button", name="Show a new secret").click()
    newer = await sight.page.get_by_role("status").locator("code").first.inner_text()
    before = len(hooks.received)
    await card.get_by_role("button", name="Replay").click()
    await card.get_by_role("button", name="Send again", exact=True).click()
    came = (await hooks.until(before + 2))[before:]
    assert {request.verified(newer)["type"] for request in came} == {"session.created", "session.queued"}
