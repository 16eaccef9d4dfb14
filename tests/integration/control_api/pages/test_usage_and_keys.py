"""Usage and keys in a browser: what they show and do, under attack, on a phone, light and dark."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Route, expect
from sqlalchemy import text

from sessions.ids import format_id, new_uuid
from tests.support.browsers.pages_browser import Sight, chromium, looking
from tests.support.browsers.pages_scene import ATTACK
from tests.support.running.api_server import MASTER_KEY, ApiServer

_ROW = text(
    "INSERT INTO usage_events (id, organization_id, session_id, epoch, kind, from_ms, to_ms, quality, multiplier,"
    " credits, agent_id, external_customer_id, recorded_at) VALUES (:id, :organization_id, :id, 1, 'final', 0, 90000,"
    " 'standard', 1, :credits, 'agent_a', :customer, :at)"
)
_HEADINGS = {"usage?period=previous_month": "Usage", "keys": "Keys"}


async def test_usage_is_summed_and_exported(api: ApiServer) -> None:
    """By day and by customer, in a chart, a table and a file."""
    await _scene(api)
    async with chromium() as browser, looking(browser, accept_downloads=True, timezone_id="UTC") as sight:
        await sight.sign_in(api.base_url, MASTER_KEY)
        await _sums(sight)
        await _has_no_fault(sight)


async def test_keys_are_made_rotated_and_revoked(api: ApiServer) -> None:
    """What is shown once works; what depends on a key goes with it."""
    await _scene(api)
    async with chromium() as browser, looking(browser) as sight:
        await sight.sign_in(api.base_url, MASTER_KEY)
        await _makes_and_revokes_keys(sight, api)
        await _has_no_fault(sight)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_usage_and_keys_fit_a_phone(api: ApiServer, scheme: str) -> None:
    """Nothing is wider than it, and axe finds nothing serious."""
    await _scene(api)
    async with (
        chromium() as browser,
        looking(browser, width=390, height=800, color_scheme=scheme, timezone_id="UTC") as sight,
    ):
        await sight.sign_in(api.base_url, MASTER_KEY)
        await sight.page.get_by_role("link", name="Usage").wait_for()
        for path, heading in _HEADINGS.items():
            await sight.page.goto(f"{api.base_url}/{path}")
            await sight.page.get_by_role("heading", name=heading, exact=True).wait_for()
            await sight.page.locator("td, .key").first.wait_for()
            assert await sight.overflow() <= 0, path
            assert await sight.grave_findings() == [], path
        await _has_no_fault(sight)


async def _scene(api: ApiServer) -> None:
    """Two rows of the bill of the month before, and a key that made a key."""
    await _row(api, ATTACK, at=_month() - timedelta(days=1))
    await _row(api, "acme", at=_month() - timedelta(days=2))
    parent = await _made(api, MASTER_KEY, kind="master", name="parent")
    await _made(api, parent["key"], kind="agent", agent_id="agent_a", scopes=["usage:read"], name=ATTACK)


def _month() -> datetime:
    """When this month began."""
    return datetime.now(UTC).replace(day=1, hour=0, minute=0)


async def _row(api: ApiServer, customer: str, *, at: datetime, credits: int = 90) -> str:
    """The bill of an erased session; the session's id."""
    principal, _ = await api.dependencies.api_keys.create("default")
    session_id = new_uuid()
    values = {"id": session_id, "organization_id": principal.organization_id, "customer": customer, "at": at}
    async with api.dependencies.db.begin() as conn:
        await conn.execute(_ROW, {**values, "credits": credits})
    return format_id("sess", session_id)


async def _made(api: ApiServer, key: str, **body: Any) -> dict[str, Any]:
    reply = await api.call("POST", "/v1/api_keys", body, key=key)
    assert reply.status == 201, reply.content
    return dict(reply.content)


async def test_bills_are_computed_again_in_words(api: ApiServer) -> None:
    """How many balance, and which do not by how much; a long bill goes on when the reader says so."""
    await _scene(api)
    wrong = await _row(api, "acme", credits=91, at=_month() - timedelta(days=3))
    async with chromium() as browser, looking(browser, timezone_id="UTC") as sight:
        await sight.sign_in(api.base_url, MASTER_KEY)
        page = sight.page
        await page.goto(f"{api.base_url}/usage?period=previous_month")
        again = page.get_by_role("region", name="Bills computed again")
        await expect(again.get_by_role("status")).to_have_text("1 of 3 bills does not balance.")
        named = again.get_by_role("listitem").filter(has=page.get_by_role("link", name=wrong))
        await expect(named).to_contain_text("91.000 credits instead of 90.000")
        await expect(named).to_contain_text("row 1 says 91.000 credits, but 90.000 s × 1.000 are 90.000")
        await page.get_by_label("Period").select_option("current_month")
        await expect(again.get_by_role("status")).to_have_text("No session was billed in this period.")
        await page.route("**/v1/usage/verification?*", _one_at_a_time)
        for number in range(4):
            await _row(api, "acme", at=_month() - timedelta(days=4, seconds=number))
        await page.get_by_label("Period").select_option("previous_month")
        await expect(again.get_by_role("status")).to_have_text("The first 4 bills balance.")
        await again.get_by_role("button", name="Compute the rest, too").click()
        await expect(again.get_by_role("status")).to_have_text("1 of 7 bills does not balance.")
        await _has_no_fault(sight)


async def _one_at_a_time(route: Route) -> None:
    """As if the API got no further than to one bill."""
    await route.continue_(url=f"{route.request.url}&limit=1")


async def _sums(sight: Sight) -> None:
    """By day, then by customer, whose name stays text; the export has every row and one header."""
    page = sight.page
    await page.get_by_role("link", name="Usage").click()
    await page.get_by_label("Period").select_option("previous_month")
    await page.get_by_text("180.000").first.wait_for()
    await page.locator(".usage-chart canvas").wait_for()
    await page.get_by_label("By").select_option("external_customer_id")
    await page.get_by_role("rowheader", name=ATTACK).wait_for()
    await page.reload()
    row = page.get_by_role("row").filter(has_text="acme")
    await expect(row).to_contain_text("90.000")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export all rows (CSV)").click()
    lines = (await (await download.value).path()).read_text().splitlines()
    assert [line.split(",")[0] for line in lines if line.startswith("id,")] == ["id"]
    assert len(lines) == 1 + 2


async def _makes_and_revokes_keys(sight: Sight, api: ApiServer) -> None:
    """The key that is shown works; a cascade names what goes with it, and takes it."""
    page = sight.page
    await page.get_by_role("link", name="Keys").click()
    await page.get_by_role("button", name="Make a key").click()
    await page.get_by_label("Name").fill("for tests")
    await page.get_by_label("Agent", exact=True).fill("agent_b")
    await page.get_by_label("See what is billed").check()
    await page.get_by_role("button", name="Make the key").click()
    shown = await page.get_by_role("status").locator("code").inner_text()
    assert (await api.call("GET", "/v1/usage", key=shown)).status == 200
    await page.get_by_role("button", name="I have it").click()
    made = page.get_by_role("region", name="for tests")
    await made.get_by_role("button", name="Rotate").click()
    await made.get_by_label("When the old key stops working").select_option("0")
    await made.get_by_role("button", name="Make the new key").click()
    newer = await page.get_by_role("status").locator("code").inner_text()
    assert [(await api.call("GET", "/v1/usage", key=key)).status for key in (shown, newer)] == [401, 200]
    parent = page.get_by_role("region", name="parent", exact=True)
    await parent.get_by_role("button", name="Revoke").click()
    await expect(parent.locator(".notice")).to_contain_text(ATTACK)
    await parent.get_by_role("button", name="Revoke it and the key that it made").click()
    await expect(parent).to_have_count(0)
    await expect(page.get_by_text("3 revoked or expired")).to_be_visible()


async def _has_no_fault(sight: Sight) -> None:
    assert await sight.page.evaluate("window.hurt") is None
    assert (sight.elsewhere, sight.complaints) == ([], [])
