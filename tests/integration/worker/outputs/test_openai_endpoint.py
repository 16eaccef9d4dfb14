"""How an OpenAI-compatible service is asked: what is tried again, what is bounded, and that the key stays with it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from pydantic import SecretStr

from tests.support.network.loopback import http_server
from worker.outputs import openai_endpoint
from worker.outputs.openai_endpoint import EndpointError, OpenAiEndpoint

KEY = "sk-very-secret"


class Service:
    """A service on loopback that answers what the test wants, in its order; the last answer for ever."""

    def __init__(self) -> None:
        self.answers: list[Callable[[web.Request], Awaitable[web.StreamResponse]]] = []
        self.requests: list[web.Request] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The next one."""
        self.requests.append(request)
        return await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)

    def says(self, *statuses: int, body: str = "{}", **headers: str) -> None:
        """Answer with these, one after the other."""
        for status in statuses:

            async def answer(_: web.Request, status: int = status) -> web.StreamResponse:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                return web.Response(status=status, text=body, headers=named)

            self.answers.append(answer)

    def endpoint(self, seconds: float = 5) -> OpenAiEndpoint:
        """How it is reached."""
        return OpenAiEndpoint(self.url, SecretStr(KEY), seconds)

    async def fails(self, seconds: float = 5) -> EndpointError:
        """What becomes of a request."""
        with pytest.raises(EndpointError) as failure:
            await self.endpoint(seconds).post("/x", dict)
        assert KEY not in repr(failure.value) + repr(self.endpoint())
        return failure.value


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """One that is listening."""
    monkeypatch.setattr(openai_endpoint, "FIRST_PAUSE_SECONDS", 0.01)
    one = Service()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", one.answer)
    async with http_server(app) as base:
        one.url = f"{base}/v1"
        yield one


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_a_refusal_is_final(service: Service, status: int) -> None:
    """Asked once; the reason quotes nothing of the answer, which may hold the key."""
    service.says(status, body=f"Incorrect API key provided: {KEY}")
    error = await service.fails()
    assert (str(error), error.final, error.status) == (f"the endpoint answered with HTTP {status}", True, status)
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_busy_service_is_asked_three_times(service: Service, status: int) -> None:
    """And then whoever wants to may try again later."""
    service.says(status)
    error = await service.fails()
    assert (str(error), error.final, len(service.requests)) == (f"the endpoint answered with HTTP {status}", False, 3)
    assert [request.headers["Authorization"] for request in service.requests] == [f"Bearer {KEY}"] * 3


async def test_retry_after_is_waited_for(service: Service) -> None:
    """As long as it says."""
    service.says(429, Retry_After="1")
    service.says(200)
    started = time.monotonic()
    assert await service.endpoint().post("/x", dict) == {}
    assert 1.0 <= time.monotonic() - started < 3


@pytest.mark.parametrize(("retry_after", "asked"), [("3600", 1), ("inf", 1), ("nan", 3), ("soon", 3), ("-5", 3)])
async def test_a_long_retry_after_gives_up_for_now_and_nonsense_is_nothing(
    service: Service, retry_after: str, asked: int
) -> None:
    """Nobody waits in here for an hour."""
    service.says(429, Retry_After=retry_after)
    error = await service.fails()
    assert (error.final, len(service.requests)) == (False, asked)


async def test_a_service_that_hangs_is_given_up(service: Service) -> None:
    """Before its headers, and in the middle of its body; each attempt is bounded."""

    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        raise AssertionError

    async def drips(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(300):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    service.answers += [silent, drips, silent]
    started = time.monotonic()
    error = await service.fails(seconds=0.3)
    assert (str(error), error.final) == ("the endpoint did not answer within 0.3 seconds", False)
    assert (len(service.requests), time.monotonic() - started < 5) == (3, True)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(service: Service, status: int) -> None:
    """The key and the conversation are for the service that was configured, and for no other."""
    elsewhere = Service()
    elsewhere.says(200)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", elsewhere.answer)
    async with http_server(app) as base:
        service.says(status, Location=f"{base}/v1/x")
        error = await service.fails()
    assert (str(error), error.final) == (f"the endpoint answered with HTTP {status}", True)
    assert elsewhere.requests == []


async def test_a_huge_answer_is_not_read_to_its_end(service: Service) -> None:
    """8 MB are enough for anybody."""
    sent = 0

    async def huge(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(64):
            await response.write(b" " * (1 << 20))
            sent += 1
        return response

    service.answers.append(huge)
    error = await service.fails()
    assert (str(error), error.final) == ("the endpoint's answer is too large", True)
    assert sent < 40


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", "the endpoint's answer is no JSON"),
        ("<html>", "the endpoint's answer is no JSON"),
        ('{"text": "cut', "the endpoint's answer is no JSON"),
        ('data: {"choices": []}\n\ndata: [DONE]\n\n', "the endpoint's answer is no JSON"),
        ("[" * 100_000, "the endpoint's answer is no JSON"),
        ("[]", "the endpoint's answer is no JSON object"),
        ("null", "the endpoint's answer is no JSON object"),
    ],
    ids=["nothing", "a page", "half of it", "events", "too deep", "a list", "null"],
)
async def test_an_answer_that_is_none_is_asked_for_again(service: Service, body: str, expected: str) -> None:
    """It may be a proxy that is in a bad way."""
    service.says(200, body=body)
    error = await service.fails()
    assert (str(error), error.final, len(service.requests)) == (expected, False, 3)


async def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is refused."""
    monkeypatch.setattr(openai_endpoint, "FIRST_PAUSE_SECONDS", 0.01)
    with pytest.raises(EndpointError) as failure:
        await OpenAiEndpoint("http://127.0.0.1:1", None).post("/x", dict)
    assert str(failure.value) == "the endpoint can't be reached (ClientConnectorError)"
    assert not failure.value.final
