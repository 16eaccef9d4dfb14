"""`GET /openapi.json` and `GET /docs`."""

from aiohttp import web

from control_api.http.openapi.document import OPENAPI
from control_api.http.requests.call import Call
from control_api.pages.routes import page_of


async def get_openapi(call: Call) -> web.StreamResponse:
    """The OpenAPI document."""
    return web.Response(
        body=await call.request.app[OPENAPI].to_json(),
        content_type="application/json",
        headers={"Cache-Control": "public, max-age=60"},
    )


async def get_docs(call: Call) -> web.StreamResponse:
    """The page that draws the OpenAPI document."""
    return await page_of(call.request)
