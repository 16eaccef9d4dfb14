"""Who is in a session's room, and who was, on the pages that show it."""

from uuid import UUID

from playwright.async_api import expect
from sqlalchemy import text

from sessions.ids import parse_id
from store.lifecycle import events
from tests.support.browsers.pages_browser import Sight, chromium, looking
from tests.support.browsers.pages_scene import ATTACK
from tests.support.running.api_server import MASTER_KEY, ApiServer

_BEGAN_SECONDS = 60  # before now
_INNER_OVERFLOW = "scroll => scroll.scrollWidth - scroll.clientWidth"


async def test_pages_say_who_is_there_as_they_come_and_go(api: ApiServer) -> None:
    """Nobody yet, since when; then names, which stay text; then nobody any more."""
    session = await api.create("room", title="Runs")
    session_id = parse_id("sess", session["id"])
    await _runs(api, session_id)
    async with chromium() as browser, looking(browser) as listed, looking(browser) as shown:
        await listed.sign_in(api.base_url, MASTER_KEY)
        row = listed.page.get_by_role("row").filter(has_text="Runs")
        await expect(row.locator(".cell-spoke")).to_have_text("–")
        await shown.sign_in(api.base_url, MASTER_KEY)
        await shown.page.goto(f"{api.base_url}/sessions/{session['id']}")
        waiting = shown.page.locator(".waiting")
        await expect(waiting).to_contain_text("Waiting for somebody to join since ")
        await expect(waiting).to_contain_text("costs nothing")
        assert await shown.grave_findings() == []
        await _moves(api, session_id, "joined", "ann", "Ann")
        await _moves(api, session_id, "joined", "other", ATTACK)
        await expect(waiting).to_have_count(0)
        await expect(row.locator(".cell-spoke")).to_have_text(f"Ann, {ATTACK}")
        await _moves(api, session_id, "left", "ann", "Ann")
        await _moves(api, session_id, "left", "other", ATTACK)
        await expect(waiting).to_contain_text("Everybody has left the room since ")
        assert await listed.grave_findings() == []
        for sight in (listed, shown):
            await _has_no_fault(sight)


async def test_a_list_names_those_who_are_heard(api: ApiServer) -> None:
    """Once there is a recording; also on a phone, and not to a reader who may not see what was said."""
    session = await api.create("room", title="Over")
    session_id = parse_id("sess", session["id"])
    await api.create("a room with a name that has no room in its cell of the list, on no screen", agent_id="a" * 60)
    await _moves(api, session_id, "joined", "ann", "Ann")
    await _moves(api, session_id, "joined", "bob", "Bob")
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO recordings (session_id, id, plan, frozen_at, committed_at, tracks) VALUES (:id,"
                """ gen_random_uuid(), '{}', now(), now(), '[{"identity": "bob", "side": "room", "samples": 1}]')"""
            ),
            {"id": session_id},
        )
    body = {"kind": "agent", "agent_id": session["agent_id"], "scopes": ["sessions:read_metadata"]}
    blind = (await api.call("POST", "/v1/api_keys", body)).content["key"]
    async with chromium() as browser:
        async with looking(browser) as sight, looking(browser, width=390, height=800) as phone:
            for one, place in ((sight, ".cell-spoke"), (phone, ".who-below")):
                await one.sign_in(api.base_url, MASTER_KEY)
                who = one.page.get_by_role("row").filter(has_text="Over").locator(place)
                await expect(who).to_have_text("Bob")
                await expect(who).to_be_visible()
                await expect(who.locator("[title]")).to_have_attribute(
                    "title", "Heard: Bob. There, and not heard: Ann."
                )
                assert await one.overflow() <= 0
                assert await one.page.locator(".scroll").evaluate(_INNER_OVERFLOW) <= 0, place
        async with looking(browser) as sight:
            await sight.sign_in(api.base_url, blind)
            row = sight.page.get_by_role("row").filter(has_text="Over")
            await expect(row.locator(".cell-spoke")).to_have_text("–")
            await _has_no_fault(sight)


async def _runs(api: ApiServer, session_id: UUID) -> None:
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "UPDATE sessions SET status = 'running', started_at = now() - make_interval(secs => :ago),"
                " recording_state = 'recording' WHERE id = :id"
            ),
            {"id": session_id, "ago": _BEGAN_SECONDS},
        )


async def _moves(api: ApiServer, session_id: UUID, move: str, sid: str, name: str) -> None:
    """As a worker tells it."""
    facts = {"participant_sid": sid, "identity": sid, "name": name, "kind": "standard", "limit_reached": False}
    async with api.dependencies.db.begin() as conn:
        await conn.execute(text("SELECT FROM sessions WHERE id = :id FOR UPDATE"), {"id": session_id})
        await events.append(conn, session_id, f"participant.{move}", epoch=1, data=facts)


async def _has_no_fault(sight: Sight) -> None:
    assert await sight.page.evaluate("window.hurt") is None
    assert (sight.elsewhere, sight.complaints) == ([], [])
