"""Requests to the HTTP API: repeated while that is safe and may help, answered by documents or one clear error."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp import hdrs
from yarl import URL

from parley.client.account import Account
from parley.client.problems import ApiRefusedError, NotParleyError, UnreachableError
from parley.command_error import CommandError

Resource = dict[str, Any]

LONGEST_WAIT_SECONDS = 30
"""How long the API holds a request that waits (`Prefer: wait`)."""

_REQUEST_SECONDS = LONGEST_WAIT_SECONDS + 15
_CONNECT_SECONDS = 10
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0
_IMPATIENT_SECONDS = 5.0
PATIENT_SECONDS = 300.0
"""How long commands that follow something go on while the API is away."""


class ApiClient:
    """An account's access to the API. Enter `connected`."""

    def __init__(self, http: aiohttp.ClientSession, account: Account) -> None:
        self.base_url = account.url
        self._http = http
        self._authorization = {hdrs.AUTHORIZATION: f"Bearer {account.key}"}

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        patient: bool = False,
    ) -> Resource:
        """The document that the API answers. Every POST gets an `Idempotency-Key`, so it can be repeated.

        Args:
            patient: goes on for minutes while the API is away; else for seconds, and not at all before it was reached.

        Raises:
            CommandError: the API refused, is away, or is no Parley.
        """
        sent = dict(headers or {})
        if method == "POST":
            sent.setdefault("Idempotency-Key", secrets.token_urlsafe(24))
        deadline = time.monotonic() + (PATIENT_SECONDS if patient else _IMPATIENT_SECONDS)
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._ask_once(method, path, params=params, json=body, headers=sent)
            except (ApiRefusedError, UnreachableError) as problem:
                seconds = _pause_after(problem, pause, patient=patient)
                if seconds is None or time.monotonic() + seconds > deadline:
                    raise
            await asyncio.sleep(seconds)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def text(self, path: str, *, accept: str, params: Mapping[str, Any] | None = None) -> tuple[str, bool]:
        """A document that isn't JSON, and whether the API has a further page of it."""
        async with self.opened("GET", path, params=params, headers={hdrs.ACCEPT: accept}) as answer:
            return await answer.text(), "next" in answer.links

    @asynccontextmanager
    async def opened(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer, unread, if it is no error; redirects aren't followed.

        Raises:
            CommandError: the API refused, is away, or is no Parley; also while the body is being read.
        """
        headers = self._authorization | dict(options.pop("headers", None) or {})
        url = URL(self.base_url + path, encoded=True)
        with unreachable_as_error(self.base_url):
            async with self._http.request(
                method, url, headers=headers, allow_redirects=False, proxy=proxy_of(url), **options
            ) as answer:
                if answer.status >= 400:
                    raise await _refusal(self.base_url, answer)
                yield answer

    async def _ask_once(self, method: str, path: str, **options: Any) -> Resource:
        async with self.opened(method, path, **options) as answer:
            if answer.content_type != "application/json":
                what = answer.headers.get(hdrs.LOCATION) or answer.content_type
                raise NotParleyError(self.base_url, f"{answer.status} {what}")
            document: Resource = await answer.json()
            return document


@asynccontextmanager
async def connected(account: Account) -> AsyncIterator[ApiClient]:
    """A client of the account's API."""
    timeout = aiohttp.ClientTimeout(total=_REQUEST_SECONDS, sock_connect=_CONNECT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield ApiClient(http, account)


def proxy_of(url: URL) -> str | None:
    """The environment's proxy for `url` (HTTPS_PROXY, NO_PROXY, …)."""
    return None if proxy_bypass(url.host or "") else getproxies().get(url.scheme)


@contextmanager
def unreachable_as_error(base_url: str) -> Iterator[None]:
    """What aiohttp raises when a server is away, as one sentence."""
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise UnreachableError(base_url, connection_problem(error), connected=False) from None
    except aiohttp.ConnectionTimeoutError:
        raise UnreachableError(base_url, f"no answer within {_CONNECT_SECONDS} s", connected=False) from None
    except TimeoutError:
        raise UnreachableError(base_url, "it does not answer in time", connected=True) from None
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, aiohttp.ClientResponseError):
        raise UnreachableError(base_url, "it closed the connection in the middle", connected=True) from None
    except aiohttp.ClientError as error:
        raise UnreachableError(base_url, type(error).__name__, connected=False) from None


def connection_problem(error: aiohttp.ClientConnectorError) -> str:
    """Why no connection was made, in a few words."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "there is no such host, or no network"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    return os.strerror(error.os_error.errno).lower() if error.os_error.errno else "no connection"


async def _refusal(base_url: str, answer: aiohttp.ClientResponse) -> CommandError:
    try:
        error = (await answer.json())["error"]
        retry_after = answer.headers.get(hdrs.RETRY_AFTER, "")
        return ApiRefusedError(answer.status, error, float(retry_after) if retry_after.isdecimal() else None)
    except (aiohttp.ContentTypeError, ValueError, KeyError, TypeError):
        return NotParleyError(base_url, f"{answer.status} {answer.content_type}")


def _pause_after(problem: ApiRefusedError | UnreachableError, pause: float, *, patient: bool) -> float | None:
    """Seconds after which the request may be repeated; None if that can't help."""
    if isinstance(problem, UnreachableError):
        return pause if patient or problem.connected else None
    if not problem.is_temporary:
        return None
    return max(pause, problem.retry_after_seconds or 0.0)
