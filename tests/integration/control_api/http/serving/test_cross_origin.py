"""Pages of other sites: what they may send and read, by `PARLEY_CORS_ORIGINS`."""

from pathlib import Path

from tests.support.running.api_server import ApiServer, api_server

APP = "https://app.example.com"
ASKS = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization, range"}


async def test_pages_of_a_named_origin_may_send_and_read(database_url: str, tmp_path: Path) -> None:
    """Preflights without a key, answers and errors; Range, Content-Range and ETag are among what they read."""
    async with api_server(database_url, tmp_path, cors_origins=(APP,)) as api:
        preflight = await api.call("OPTIONS", "/v1/sessions", key=None, headers={"Origin": APP, **ASKS})
        assert (preflight.status, preflight.body) == (204, b"")
        assert preflight.headers["Access-Control-Allow-Origin"] == APP
        allowed = {name.strip().lower() for name in preflight.headers["Access-Control-Allow-Headers"].split(",")}
        assert {"authorization", "content-type", "idempotency-key", "range", "if-range"} <= allowed
        assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
        for key, status in ((None, 401), ("wrong", 401)):
            refused = await api.call("GET", "/v1/sessions", key=key, headers={"Origin": APP})
            assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (status, APP)
        answer = await api.call("GET", "/v1/sessions", headers={"Origin": APP})
        read = {name.strip().lower() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
        assert {"range", "content-range", "etag", "x-request-id", "location"} <= read
        assert "Origin" in answer.headers["Vary"]


async def test_pages_of_other_origins_may_not(database_url: str, tmp_path: Path) -> None:
    """Nor does a preflight of theirs answer; a cache keeps answers to several origins apart."""
    async with api_server(database_url, tmp_path, cors_origins=(APP,)) as api:
        for origin in ("https://evil.example", f"{APP}.evil.example", "http://app.example.com", "null"):
            preflight = await api.call("OPTIONS", "/v1/sessions", key=None, headers={"Origin": origin, **ASKS})
            assert (preflight.status, preflight.code) == (405, "method.not_allowed")
            answer = await api.call("GET", "/v1/sessions", headers={"Origin": origin})
            assert answer.status == 200
            for reply in (preflight, answer):
                assert "Access-Control-Allow-Origin" not in reply.headers
                assert "Origin" in reply.headers["Vary"]


async def test_any_origin_may_where_all_are_named(database_url: str, tmp_path: Path) -> None:
    """`*`; there are no cookies to guard."""
    async with api_server(database_url, tmp_path, cors_origins=("*",)) as api:
        answer = await api.call("GET", "/v1/status", key=None, headers={"Origin": "https://any.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_no_page_may_by_default(api: ApiServer) -> None:
    """No header tells of it."""
    answer = await api.call("GET", "/v1/status", key=None, headers={"Origin": APP})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert (await api.call("OPTIONS", "/v1/sessions", key=None, headers={"Origin": APP, **ASKS})).status == 405
