"""What a reader does on a session's page besides listening: downloads, a word to the room, and what went wrong."""

from pathlib import Path

from playwright.async_api import expect
from sqlalchemy import text

from sessions.ids import parse_id
from tests.support.browsers.pages_browser import Sight, chromium, looking
from tests.support.browsers.pages_scene import ATTACK, a_conversation, sound
from tests.support.running.api_server import MASTER_KEY, ApiServer

_TRANSCRIPTS = {"JSON": '"segments"', "WebVTT": "WEBVTT", "SRT": "00:00:01,000 -->", "Text": "first words"}


async def test_a_session_is_saved_spoken_to_and_explained(api: ApiServer) -> None:
    """One browser for all of it, as its start takes most of the time."""
    played = await a_conversation(api)
    async with chromium() as browser, looking(browser, width=390, height=800) as sight:
        await sight.sign_in(api.base_url, MASTER_KEY)
        await _saves(sight, api, played)
        await _speaks(sight, api)
        await _explains(sight, api)
        assert await sight.page.evaluate("window.hurt") is None
        assert (sight.elsewhere, sight.complaints) == ([], [])


async def _saves(sight: Sight, api: ApiServer, session_id: str) -> None:
    """The recording byte for byte, and the transcript in each of its forms."""
    await sight.page.goto(f"{api.base_url}/sessions/{session_id}")
    assert await _downloaded(sight, "WAV") == sound()
    for name, holds in _TRANSCRIPTS.items():
        content = (await _downloaded(sight, name)).decode()
        assert holds in content
        assert "in the middle" in content


async def _downloaded(sight: Sight, button: str) -> bytes:
    async with sight.page.expect_download() as download:
        await sight.page.get_by_role("button", name=button, exact=True).click()
    return Path(await (await download.value).path()).read_bytes()


async def _speaks(sight: Sight, api: ApiServer) -> None:
    """What was written shows, as text."""
    session = await api.create("another room", title="Runs")
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text("UPDATE sessions SET status = 'running', started_at = now() WHERE id = :id"),
            {"id": parse_id("sess", session["id"])},
        )
    await sight.page.goto(f"{api.base_url}/sessions/{session['id']}")
    box = sight.page.get_by_label("Message to the room")
    await box.fill(ATTACK)
    await sight.page.get_by_role("button", name="Send").click()
    await expect(box).to_have_value("")
    messages = (await api.call("GET", f"/v1/sessions/{session['id']}/messages")).content["data"]
    assert [one["content"] for one in messages] == [ATTACK]
    assert await sight.grave_findings() == []


async def _explains(sight: Sight, api: ApiServer) -> None:
    """What went wrong, what to do, whose fault it is, and whether to try again."""
    session = await api.create("a third room", title="Fails")
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "UPDATE sessions SET status = 'failed', recording_state = 'none', started_at = created_at,"
                " ending_at = now(), finished_at = now(), error_code = 'room.unreachable' WHERE id = :id"
            ),
            {"id": parse_id("sess", session["id"])},
        )
    await sight.page.goto(f"{api.base_url}/sessions/{session['id']}")
    wrong = sight.page.get_by_role("region", name="What went wrong")
    for shown in ("Whose fault it is:", "A new session like it may succeed.", "room.unreachable"):
        await expect(wrong).to_contain_text(shown)
    assert await sight.grave_findings() == []
    assert await sight.overflow() <= 0
