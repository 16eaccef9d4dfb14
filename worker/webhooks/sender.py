"""One request to an endpoint, bounded in every way, and what came back."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from sessions.destinations.webhook_url import UrlRules, check_webhook_url
from sessions.errors import ParleyError
from sessions.texts.redaction import redact
from worker.webhooks.guarded_dial import AddressNotAllowedError, guarded_connector

READ_BYTES = 16 * 1024
KEPT_BYTES = 1024
_GONE = 410
_TO_LEAVE_SECONDS = 0.1  # a slow body is given up so much earlier than the attempt, whose status has come


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP; None: nothing came.
        error: why it is a failure; None: it isn't.
        text: the beginning of the body.
    """

    status: int | None = None
    error: str | None = None
    text: str | None = None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == _GONE


class Sender:
    """Posts to endpoints.

    Args:
        seconds: for all of it: resolving, connecting, sending, reading.
        trusted: whose certificates are good.
    """

    def __init__(
        self, http: aiohttp.ClientSession, rules: UrlRules, seconds: float, trusted: ssl.SSLContext | bool
    ) -> None:
        self._http = http
        self._rules = rules
        self._seconds = seconds
        self._trusted = trusted

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        rules: UrlRules,
        *,
        seconds: float,
        resolver: AbstractResolver | None = None,
        trusted: ssl.SSLContext | bool = True,
    ) -> AsyncIterator[Self]:
        """A sender without proxies, cookies, redirects or decompression.

        Args:
            resolver: asks for the addresses of names; None: the host's.
            trusted: whose certificates are good; True: those that the host trusts.
        """
        connector = guarded_connector(allow_private_hosts=rules.allow_private_hosts, resolver=resolver)
        async with aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=READ_BYTES,
            headers={"User-Agent": f"Parley-Webhooks/{version('parley')}", "Accept-Encoding": "identity"},
        ) as http:
            yield cls(http, rules, seconds, trusted)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post JSON. It succeeds by its status alone; a 2xx answer's body may be cut off."""
        try:
            check_webhook_url(url, self._rules)
        except ParleyError:
            return Answer(error="url_not_allowed")
        sent = {"Content-Type": "application/json", **headers}
        deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            async with (
                asyncio.timeout_at(deadline),
                self._http.post(
                    URL(url, encoded=True),
                    data=body,
                    headers=sent,
                    allow_redirects=False,
                    ssl=self._trusted,
                    timeout=aiohttp.ClientTimeout(),
                ) as answer,
            ):
                text = await _beginning(answer, deadline - _TO_LEAVE_SECONDS)
                return Answer(answer.status, _judge(answer.status), text)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(error=_name(error))


async def _beginning(answer: aiohttp.ClientResponse, deadline: float) -> str:
    """The text of the answer's first KiB; what is wrong with its body, or late, is left out."""
    read = bytearray()
    try:
        async with asyncio.timeout_at(deadline):
            while len(read) < READ_BYTES and (piece := await answer.content.read(READ_BYTES - len(read))):
                read += piece
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass  # the status has come
    return redact(bytes(read[:KEPT_BYTES]).decode(errors="replace").replace("\0", "�"))


def _judge(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    return "redirect" if 300 <= status < 400 else "status"


def _name(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, AddressNotAllowedError):
        return "address_not_allowed"
    for name, kinds in _NAMES.items():
        if isinstance(error, kinds) or isinstance(cause, kinds):
            return name
    return "answer_malformed"


_NAMES: dict[str, tuple[type[Exception], ...]] = {
    "name_unresolved": (aiohttp.ClientConnectorDNSError, UnicodeError),
    "tls": (aiohttp.ClientSSLError, ssl.SSLError, ssl.CertificateError),
    "timeout": (TimeoutError,),
    "connection_refused": (ConnectionRefusedError,),
    "connection_failed": (aiohttp.ClientConnectorError,),
    "closed_early": (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError),
}
"""The classes of failures without a status, by what is thrown; the first one that fits."""
