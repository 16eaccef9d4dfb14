"""`/`, and what is below it that is no API: one document for all pages, which finds out itself what to show."""

import contextlib
import secrets
from html import escape
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from control_api.http.answers.public_address import PUBLIC_ADDRESS
from control_api.http.requests.call import OPERATION
from control_api.http.requests.dependencies import DEPENDENCIES
from control_api.pages.built_pages import PAGES
from control_api.pages.content_security_policy import page_policy
from control_api.pages.not_built import NOT_BUILT
from sessions.errors import ParleyError
from store.objects.errors import StorageError

PAGE_PATHS = ("/", "/sessions", "/sessions/{session_id}", "/talk", "/usage", "/webhooks", "/keys", "/operator")
ASSET_PATH = "/assets/{name}"
LICENSES_PATH = "/licenses"
ICON_PATH = "/favicon.ico"
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"
_NONCE_BYTES = 16
_LINK_SECONDS = 60  # of a link that nobody follows


def add_pages(router: web.UrlDispatcher) -> None:
    """Register all of them."""
    for path in PAGE_PATHS:
        router.add_get(path, get_page)
    router.add_get(ASSET_PATH, get_asset)
    router.add_get(LICENSES_PATH, get_licenses)
    router.add_get(ICON_PATH, get_icon)


async def get_page(request: web.Request) -> web.StreamResponse:
    """The document of every page."""
    request[OPERATION] = "get_page"
    return await page_of(request)


async def page_of(request: web.Request) -> web.StreamResponse:
    """It, with a policy of its own; without built files, how to build them."""
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    shell = request.app[PAGES].shell
    base = escape(request.app[PUBLIC_ADDRESS].path("/"), quote=True)
    text = NOT_BUILT if shell is None else shell.replace("%NONCE%", nonce).replace("%BASE%", base)
    policy = page_policy(nonce, media=await _media_origins(request), livekit=request.query.get("livekit"))
    return web.Response(
        text=text,
        content_type="text/html",
        headers={
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
            hdrs.CACHE_CONTROL: "no-store",
        },
    )


async def get_asset(request: web.Request) -> web.StreamResponse:
    """One built file, compressed as the browser asks for it."""
    request[OPERATION] = "get_asset"
    path = request.app[PAGES].asset(request.match_info["name"])
    if path is None:
        raise ParleyError("not_found", "the pages have no such file: load them again")
    return web.FileResponse(path, headers={hdrs.CACHE_CONTROL: _FOR_EVER})


async def get_licenses(request: web.Request) -> web.StreamResponse:
    """The licenses of what the built files hold."""
    request[OPERATION] = "get_licenses"
    path = request.app[PAGES].licenses
    if path is None:
        raise ParleyError("not_found", "the pages were not built: make setup builds them")
    return web.FileResponse(
        path, headers={hdrs.CACHE_CONTROL: "no-cache", hdrs.CONTENT_TYPE: "text/plain; charset=utf-8"}
    )


async def get_icon(request: web.Request) -> web.StreamResponse:
    """The icon, where browsers look for it by themselves; nothing where the pages were not built."""
    request[OPERATION] = "get_icon"
    path = request.app[PAGES].icon
    headers = {hdrs.CACHE_CONTROL: _FOR_A_DAY}
    if path is None:
        return web.Response(status=204, headers=headers)
    return web.FileResponse(path, headers={**headers, hdrs.CONTENT_TYPE: "image/svg+xml"})


async def _media_origins(request: web.Request) -> list[str]:
    """Where recordings are played from, other than from the page's own origin."""
    dependencies = request.app[DEPENDENCIES]
    links = [request.app[PUBLIC_ADDRESS].url("/")]
    if dependencies.settings.storage_links != "api":
        with contextlib.suppress(StorageError):  # then recordings can't be played; the rest of the page can be read
            signed = await dependencies.objects.signed_url("sessions/none", _LINK_SECONDS)
            links += [] if signed is None else [signed]
    return [f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, links)]
