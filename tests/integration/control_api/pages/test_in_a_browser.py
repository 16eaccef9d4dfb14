"""The pages as a reader has them: signed in, read, moved through by keys, played, on a phone, under attack."""

import re
from urllib.parse import urlencode

from playwright.async_api import expect

from tests.support.browsers.pages_browser import Sight, chromium, looking
from tests.support.browsers.pages_scene import ATTACK, FIRST_HERTZ, HERTZ_A_SECOND, SECONDS, a_conversation
from tests.support.running.api_server import MASTER_KEY, ApiServer

_FIRST_PAGE_BYTES = 120_000
_LOADED = """performance.getEntriesByType("resource").filter((one) => one.name.includes("/assets/"))
  .reduce((bytes, one) => bytes + one.encodedBodySize, 0)"""
_SETTLES_MS = 500  # what the analyser heard before is past
_LATE_SECONDS = 4  # test machines are busy; the line before is eight seconds earlier
_AFTER_14 = re.compile("1[5-9]|20")
# Listens to whatever the page plays, from its next load on; WaveSurfer's element is in no document.
_LISTEN = """(() => {
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    if (!window.ear) {
      const context = new AudioContext();
      window.ear = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
      context.createMediaElementSource(this).connect(window.ear).connect(context.destination);
      window.player = this;
    }
    return play.call(this);
  };
})()"""
# Which second of the scene is heard, by its pitch, and which one the player is in; null: nothing is heard yet.
_HEARD = """() => {
  const bins = new Float32Array(window.ear.frequencyBinCount);
  window.ear.getFloatFrequencyData(bins);
  const loudest = bins.indexOf(Math.max(...bins));
  if (bins[loudest] < -60) return null;
  const hertz = loudest * window.ear.context.sampleRate / window.ear.fftSize;
  return [Math.round((hertz - %d) / %d), window.player.currentTime];
}"""


async def test_the_pages_are_safe_and_can_be_used(api: ApiServer) -> None:
    """One browser for all of it, as its start takes most of the time."""
    played = await a_conversation(api)
    waiting = await api.create("another room", title="Waits")
    async with chromium() as browser:
        async with looking(browser) as sight:
            await _signs_in(sight, api)
            await _opens_by_keys(sight, waiting["id"])
            await _plays_from_a_line(sight, api, played)
            await _has_no_fault(sight)
        async with looking(browser) as sight:
            await _asks_before_a_link_replaces(sight, api)
            await _has_no_fault(sight)
        for scheme in ("light", "dark"):
            async with looking(browser, width=390, height=800, color_scheme=scheme) as sight:
                await sight.sign_in(api.base_url, MASTER_KEY)
                for path, heading, shown in _pages(played):
                    await sight.page.goto(f"{api.base_url}/{path}")
                    await sight.page.get_by_role("heading", name=heading, exact=True).wait_for()
                    await sight.page.get_by_text(shown).first.wait_for()
                    assert await sight.overflow() <= 0, path
                    assert await sight.grave_findings() == [], (path, scheme)
                await _has_no_fault(sight)


def _pages(session_id: str) -> tuple[tuple[str, str, str], ...]:
    """Path, heading, and what shows once it is drawn."""
    return (
        (f"sessions/{session_id}", ATTACK, ATTACK),
        ("sessions", "Sessions", ATTACK),
        ("talk", "Talk", "Which LiveKit server?"),
    )


async def _signs_in(sight: Sight, api: ApiServer) -> None:
    """Not with a wrong key; and whoever loads the page again still is."""
    await sight.try_key(api.base_url, "parley_master_" + "x" * 43)
    await sight.page.get_by_role("alert").get_by_text("does not know this key").wait_for()
    assert await sight.grave_findings() == []
    await sight.sign_in(api.base_url, MASTER_KEY)
    await sight.page.get_by_role("link", name="Waits").wait_for()
    await sight.page.reload()
    await sight.page.get_by_role("link", name="Waits").wait_for()
    assert await sight.page.evaluate("localStorage.length + document.cookie.length") == 0
    assert 0 < await sight.page.evaluate(_LOADED) <= _FIRST_PAGE_BYTES
    over = sight.page.get_by_role("row").filter(has_text=ATTACK)
    for shown in ("Ended", "incomplete", "A client asked for the end."):
        await expect(over).to_contain_text(shown)


async def _asks_before_a_link_replaces(sight: Sight, api: ApiServer) -> None:
    """A link signs in where nobody is; it replaces neither key nor LiveKit unless the reader says so."""
    page = sight.page
    mine = {"key": MASTER_KEY, "livekit_url": "wss://mine.example", "livekit_key": "a", "livekit_secret": "b"}
    _, other = await api.dependencies.api_keys.create("other")
    theirs = {**mine, "key": other.get_secret_value(), "livekit_url": "wss://theirs.example"}

    async def follow(handed_over: dict[str, str]) -> None:
        await page.goto("about:blank")
        await page.goto(f"{api.base_url}/sessions#hand-over&{urlencode(handed_over)}")

    async def kept() -> list[str]:
        places = ["parley.key", "parley.livekit"]
        return list(await page.evaluate("places => places.map((one) => sessionStorage.getItem(one))", places))

    await follow(mine)
    await page.get_by_role("link", name="Waits").wait_for()
    before = await kept()
    assert (before[0], "mine.example" in before[1]) == (MASTER_KEY, True)
    await follow(mine)
    await page.get_by_role("link", name="Waits").wait_for()
    await follow(theirs)
    asked = page.get_by_role("alertdialog")
    for named in (MASTER_KEY[-4:], theirs["key"][-4:], "wss://mine.example", "wss://theirs.example"):
        await asked.get_by_text(named, exact=True).wait_for()
    assert "#" not in page.url
    assert await kept() == before
    assert await sight.grave_findings() == []
    await page.get_by_role("button", name="Leave all as it is").click()
    await page.get_by_role("link", name="Waits").wait_for()
    assert await kept() == before
    await follow({name: value for name, value in theirs.items() if name != "key"})
    await page.get_by_role("button", name="Take what the link brings").click()
    await page.get_by_role("link", name="Waits").wait_for()
    after = await kept()
    assert (after[0], "theirs.example" in after[1]) == (MASTER_KEY, True)


async def _opens_by_keys(sight: Sight, session_id: str) -> None:
    """Down to the first session, Enter, and what it is doing in words."""
    await sight.page.get_by_role("link", name="Waits").focus()
    await sight.page.keyboard.press("ArrowDown")
    await sight.page.keyboard.press("ArrowUp")
    await sight.page.keyboard.press("Enter")
    await sight.page.wait_for_url(f"**/sessions/{session_id}")
    await sight.page.get_by_text("Waiting for a worker").first.wait_for()
    await sight.page.get_by_role("button", name="Cancel").click()
    await sight.page.get_by_role("button", name="Really cancel?").click()
    await sight.page.get_by_text("Canceled").first.wait_for()


async def _plays_from_a_line(sight: Sight, api: ApiServer, session_id: str) -> None:
    """The second line leads to its second, and arrows go on from there."""
    await sight.page.add_init_script(_LISTEN)
    await sight.page.goto(f"{api.base_url}/sessions/{session_id}")
    await sight.page.get_by_role("button", name="Play from 0:09").click()
    slider = sight.page.get_by_role("slider")
    await expect(slider).to_have_attribute("aria-valuenow", "9")
    await expect(slider).to_have_attribute("aria-valuemax", str(SECONDS))
    await slider.press("ArrowRight")
    await expect(slider).to_have_attribute("aria-valuenow", "14")
    await sight.page.get_by_role("button", name="Play", exact=True).click()
    await sight.page.get_by_role("button", name="Pause", exact=True).wait_for()
    await expect(slider).to_have_attribute("aria-valuenow", _AFTER_14)
    await sight.page.get_by_role("button", name="Play from 0:09").click()
    await _hears(sight, 9)
    await expect(sight.page.get_by_role("listitem").filter(has_text=f"{ATTACK} wrote")).to_have_count(1)
    await sight.page.get_by_label("Search the transcript").fill("middle")
    await sight.page.get_by_text("1 of 3 lines").wait_for()


async def _hears(sight: Sight, second: int) -> None:
    """The sound itself is what it was in that second, or a little later: the player went on meanwhile."""
    await sight.page.wait_for_timeout(_SETTLES_MS)
    heard, position = await (await sight.page.wait_for_function(_HEARD % (FIRST_HERTZ, HERTZ_A_SECOND))).json_value()
    assert second <= heard <= second + _LATE_SECONDS
    assert abs(heard - position) < 1.5


async def _has_no_fault(sight: Sight) -> None:
    assert await sight.page.evaluate("window.hurt") is None
    assert (sight.elsewhere, sight.complaints) == ([], [])
