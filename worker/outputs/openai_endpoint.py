"""Requests to an OpenAI-compatible HTTP service: one bounded way to ask, to try again, and to fail."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import hdrs
from pydantic import SecretStr
from pydantic_core import from_json

_ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0  # a service that asks for a longer wait counts as failed for now
_MOST_ANSWER_BYTES = 8 << 20
_TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class EndpointError(Exception):
    """The service did not do what it was asked. The error's text quotes nothing of the answer.

    Attributes:
        final: asking again would not help.
        status: of its answer; None when there was none, or it could not be understood.
        retry_after_seconds: what it asked for.
    """

    def __init__(
        self, message: str, *, final: bool, status: int | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.final = final
        self.status = status
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class OpenAiEndpoint:
    """One service.

    Attributes:
        url: its base (`https://api.example.com/v1`), to which `path` is added.
        key: sent as a bearer token when there is one.
        seconds: for one request.
    """

    url: str
    key: SecretStr | None
    seconds: float = 120

    async def post(self, path: str, body: Callable[[], Any]) -> dict[str, Any]:
        """The JSON object that `POST {url}{path}` answers; busy and broken answers are tried again twice.

        Redirects are not followed: the key is for this service only.

        Args:
            body: makes the request's body (`aiohttp.FormData`, or an object to be sent as JSON), anew per attempt.

        Raises:
            EndpointError: there was no answer, or none that could be understood.
        """
        headers = {} if self.key is None else {"Authorization": f"Bearer {self.key.get_secret_value()}"}
        pause = FIRST_PAUSE_SECONDS
        timeout = aiohttp.ClientTimeout(total=self.seconds)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return await self._ask(http, path, body())
                except EndpointError as error:
                    wait = max(pause, error.retry_after_seconds or 0.0)
                    if error.final or attempt == _ATTEMPTS or wait > LONGEST_PAUSE_SECONDS:
                        raise
                await asyncio.sleep(wait)
                pause = min(pause * 4, LONGEST_PAUSE_SECONDS)
        raise AssertionError

    async def _ask(self, http: aiohttp.ClientSession, path: str, body: Any) -> dict[str, Any]:
        how: dict[str, Any] = {"data": body} if isinstance(body, aiohttp.FormData) else {"json": body}
        try:
            async with http.post(self.url.rstrip("/") + path, allow_redirects=False, **how) as answer:
                if answer.status != 200:
                    again = answer.status in _TRY_AGAIN
                    raise EndpointError(
                        f"the endpoint answered with HTTP {answer.status}",
                        final=not again,
                        status=answer.status,
                        retry_after_seconds=_seconds(answer.headers.get(hdrs.RETRY_AFTER)),
                    )
                data = await answer.content.read(_MOST_ANSWER_BYTES + 1)
                while chunk := await answer.content.read(_MOST_ANSWER_BYTES + 1):
                    data += chunk
                    if len(data) > _MOST_ANSWER_BYTES:
                        raise EndpointError("the endpoint's answer is too large", final=True)
        except TimeoutError:
            raise EndpointError(f"the endpoint did not answer within {self.seconds:g} seconds", final=False) from None
        except (aiohttp.ClientError, ValueError) as error:
            raise EndpointError(f"the endpoint can't be reached ({type(error).__name__})", final=False) from None
        try:
            content = from_json(data)  # bounds the depth, which json doesn't
        except ValueError:
            raise EndpointError("the endpoint's answer is no JSON", final=False) from None
        if not isinstance(content, dict):
            raise EndpointError("the endpoint's answer is no JSON object", final=False)
        return content


def _seconds(retry_after: str | None) -> float | None:
    """What `Retry-After` says in seconds; a date counts as no wish, as no such service sends one."""
    try:
        return None if retry_after is None else max(float(retry_after), 0.0)
    except ValueError:
        return None
