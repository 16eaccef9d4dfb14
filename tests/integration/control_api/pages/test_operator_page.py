"""The operator's page in a browser: a key of its own, figures, a phone."""

from pathlib import Path

import psycopg
from playwright.async_api import expect
from pydantic import SecretStr

from store.database.notify.listener_names import RECORDER_LISTENER
from tests.support.browsers.pages_browser import chromium, looking
from tests.support.running.api_server import MASTER_KEY, api_server

_KEY = "operator-" + "o" * 40


async def test_the_operator_sees_figures_with_a_key_of_their_own(database_url: str, tmp_path: Path) -> None:
    """An organization's key opens nothing; the operator's is kept apart from it, and forgotten on request."""
    async with (
        api_server(database_url, tmp_path, operator_key=SecretStr(_KEY)) as api,
        chromium() as browser,
        looking(browser, width=390, height=800) as sight,
    ):
        page = sight.page
        await api.create("room", title="secret-title")
        await api.create("room 2", title="secret-title")
        with psycopg.connect(database_url, autocommit=True) as conn:
            conn.execute(
                "UPDATE sessions SET status = 'failed', error_code = 'capacity.none', finished_at = now(),"
                " failed_at = now() WHERE room_name = 'room 2'"
            )
        await page.goto(f"{api.base_url}/operator")
        await page.get_by_label("Operator key").fill(MASTER_KEY)
        await page.get_by_role("button", name="Look").click()
        await page.get_by_role("alert").get_by_text("scope.missing").wait_for()
        await page.get_by_label("Operator key").fill(_KEY)
        with psycopg.connect(database_url, application_name=RECORDER_LISTENER):
            await page.get_by_role("button", name="Look").click()
            queue = page.get_by_role("region", name="Queue")
            await expect(queue.locator(".figure").first).to_have_text("Waiting1")
            await expect(page.get_by_role("region", name="Processes")).to_contain_text("Recorders1")
        await expect(page.get_by_role("region", name="Failures by fault")).to_contain_text("Ours1")
        await expect(page.get_by_role("cell", name="capacity.none")).to_be_visible()
        assert "secret-title" not in await page.content()
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            assert await sight.overflow() <= 0
            assert await sight.grave_findings() == [], scheme
        assert await page.evaluate("sessionStorage.getItem('parley.key')") is None
        await page.get_by_role("button", name="Forget the key").click()
        await page.get_by_label("Operator key").wait_for()
        assert await page.evaluate("sessionStorage.length") == 0
        assert (sight.elsewhere, sight.complaints) == ([], [])
