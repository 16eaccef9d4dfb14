"""How the pages come: their policy, their files, and what is said where they were not built."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from control_api.pages.built_pages import PAGES, BuiltPages
from control_api.pages.content_security_policy import page_policy
from control_api.pages.routes import add_pages
from tests.support.running.api_server import ApiServer


@pytest.fixture
def built(tmp_path: Path) -> BuiltPages:
    """Files as the build writes them."""
    (tmp_path / "built" / "assets").mkdir(parents=True)
    (tmp_path / "built" / "index.html").write_text('<base href="%BASE%"><meta content="%NONCE%">')
    (tmp_path / "built" / "assets" / "index-abc.js").write_text("1")
    (tmp_path / "built" / "assets" / "index-abc.js.gz").write_bytes(b"not looked into")
    (tmp_path / "secret").write_text("2")
    return BuiltPages(tmp_path / "built")


def test_no_name_leads_out_of_the_folder(built: BuiltPages) -> None:
    """Only names that were there at the start are found, and compressed files not by their own."""
    assert built.asset("index-abc.js") is not None
    for name in ("../../secret", "..", "", "index-abc.js.gz", "secret"):
        assert built.asset(name) is None, name


def test_a_policy_names_one_server_and_takes_no_other_words() -> None:
    """What is no address of a server is left out, so that nobody adds a source by a link."""
    assert "connect-src 'self' ws://[::1]:7880 wss://[::1]:7880" in page_policy("n", livekit="ws://[::1]:7880")
    plain = page_policy("n")
    for wrong in ("*", "wss://*", "wss://a b", "wss://a;script-src *", "javascript://a", "wss://a/path", "wss://a@b"):
        assert page_policy("n", livekit=wrong) == plain, wrong
    assert "unsafe" not in plain
    assert plain.startswith("default-src 'none'; script-src 'self';")


async def test_a_page_has_a_nonce_of_its_own_each_time(api: ApiServer) -> None:
    """Whatever the path, and without a key; nobody may frame or keep it."""
    first, second = [await api.call("GET", path, key=None) for path in ("/", "/sessions/sess_1")]
    assert (first.status, second.status) == (200, 200)
    assert first.headers["Content-Type"] == "text/html; charset=utf-8"
    assert first.headers["Content-Security-Policy"] != second.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in first.headers["Content-Security-Policy"]
    assert (first.headers["Cache-Control"], first.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


async def test_a_file_is_kept_for_ever_and_a_missing_one_is_not_found(api: ApiServer) -> None:
    """The files that were built, compressed as it is asked for."""
    name = next(iter(BuiltPages()._assets))
    reply = await api.call("GET", f"/assets/{name}", key=None, headers={"Accept-Encoding": "gzip"})
    assert (reply.status, reply.headers["Content-Encoding"]) == (200, "gzip")
    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    missing = await api.call("GET", "/assets/..%2findex.html", key=None)
    assert (missing.status, missing.code) == (404, "not_found")
    assert b"wavesurfer.js" in (await api.call("GET", "/licenses", key=None)).body


def test_without_built_files_there_is_nothing_to_serve(tmp_path: Path) -> None:
    """The page that says how to build them takes their place."""
    empty = BuiltPages(tmp_path / "none")
    assert (empty.shell, empty.licenses, empty.asset("index.html")) == (None, None, None)
    assert PAGES is not None


async def test_the_icon_is_where_browsers_look_for_it(api: ApiServer, tmp_path: Path) -> None:
    """Also on pages that name none, as files and JSON; without built pages there is none, and that is no error."""
    icon = await api.call("GET", "/favicon.ico", key=None)
    assert (icon.status, icon.headers["Content-Type"]) == (200, "image/svg+xml")
    assert icon.body.startswith(b"<svg")
    bare = web.Application()
    bare[PAGES] = BuiltPages(tmp_path / "none")
    add_pages(bare.router)
    async with TestClient(TestServer(bare)) as client, client.get("/favicon.ico") as answer:
        assert answer.status == 204
