"""The API reference in a browser: read without a key, searched, tried with one, on a phone."""

from playwright.async_api import expect

from tests.support.browsers.pages_browser import Sight, chromium, looking
from tests.support.running.api_server import MASTER_KEY, ApiServer

# Every operation, one after the other, as its link in the contents shows it: those whose page is wider than the window,
# or has another heading than the link says.
_EACH = """async () => {
  const links = () => [...document.querySelectorAll('.contents li a')];
  const wrong = [];
  for (let at = 0; at < links().length; at++) {
    const link = links()[at];
    const name = link.querySelector('span:last-child').textContent;
    link.click();
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    for (const folded of document.querySelectorAll('.reading details')) folded.open = true;
    const heading = document.querySelector('h1').textContent;
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (heading !== name || wide > 0) wrong.push([name, heading, wide]);
  }
  return [links().length, wrong];
}"""


async def test_the_reference_is_read_searched_and_tried(api: ApiServer) -> None:
    """Every operation of the document has its page, with what it takes, what it answers, and a command."""
    session = await api.create("room", title="Found")
    document = (await api.call("GET", "/openapi.json", key=None)).content
    count = sum(len(methods) for methods in document["paths"].values())
    async with chromium() as browser:
        async with looking(browser) as sight:
            await _reads_without_a_key(sight, api)
            await _tries_with_one(sight, api, session["id"])
            assert (sight.elsewhere, sight.complaints) == ([], [])
        for scheme in ("light", "dark"):
            async with looking(browser, width=390, height=800, color_scheme=scheme) as sight:
                for path in ("docs", "docs?op=create_session"):
                    await sight.page.goto(f"{api.base_url}/{path}")
                    await sight.page.locator(".reading h1").wait_for()
                    assert await sight.overflow() <= 0, path
                    assert await sight.grave_findings() == [], (path, scheme)
                if scheme == "light":
                    assert await sight.page.evaluate(_EACH) == [count, []]
                assert (sight.elsewhere, sight.complaints) == ([], [])


async def _reads_without_a_key(sight: Sight, api: ApiServer) -> None:
    """From the contents to an operation: `transport` says what it may be, and the command has it."""
    page = sight.page
    await page.goto(f"{api.base_url}/docs")
    await page.get_by_role("heading", name="transport: where it takes place").wait_for()
    await page.get_by_label("Search the operations").fill("create session")
    await page.get_by_role("link", name="POST Create a session", exact=True).click()
    await page.get_by_role("heading", name="Create a session", exact=True).wait_for()
    body = page.get_by_role("region", name="Body")
    await expect(body).to_contain_text("a LiveKit room of yours, and a token that lets it in")
    await expect(body.locator("li", has_text="worker_token").first).to_be_visible()
    await expect(page.get_by_role("region", name="Request")).to_contain_text('"room_name"')
    await page.get_by_role("link", name="Sign in").wait_for()


async def _tries_with_one(sight: Sight, api: ApiServer, session_id: str) -> None:
    """What the API answers shows; what changes something can't be tried."""
    page = sight.page
    await sight.sign_in(api.base_url, MASTER_KEY)
    await page.goto(f"{api.base_url}/docs?op=get_session")
    await page.get_by_text("Try it", exact=True).first.click()
    form = page.get_by_role("form", name="Try it")
    await form.get_by_label("session_id").fill(session_id)
    await form.get_by_role("button", name="Try it").click()
    await expect(form.get_by_role("status")).to_contain_text('"title": "Found"')
    await page.goto(f"{api.base_url}/docs?op=delete_session")
    await page.get_by_role("heading", name="Delete a session").wait_for()
    await expect(page.get_by_text("Try it", exact=True)).to_have_count(0)
