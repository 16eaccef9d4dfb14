"""Posts an event to a receiver, signed as Standard Webhooks has it."""

import base64
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs

from parley.client.api_client import connection_problem
from parley.command_error import CommandError
from sessions.webhooks.signing import signed_headers

_TIMEOUT_SECONDS = 15.0
_SHOWN_BYTES = 1024
_SECRET_BYTES = 32
_PREFIX = "whsec_"
_LEAST_SECRET_BYTES = 16


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """What became of a delivery.

    Attributes:
        status: HTTP's; None: there was no answer.
        said: the beginning of the answer's body, or why there was none.
        took_ms: until the beginning was read.
        connected: whether the receiver was reached at all.
    """

    status: int | None
    said: str
    took_ms: int
    connected: bool = True

    @property
    def is_accepted(self) -> bool:
        """Whether a webhook would count as delivered."""
        return self.status is not None and 200 <= self.status < 300


class WebhookReceiver:
    """Whatever listens at `url`. Enter `reaching_receiver`."""

    def __init__(self, http: aiohttp.ClientSession, url: str, secret: str) -> None:
        self.url = url
        self._http = http
        self._secret = secret

    async def post(self, event_id: str, body: bytes) -> ReceiverAnswer:
        """One attempt, without following redirects."""
        signed = signed_headers(event_id, datetime.now(UTC), body, [self._secret])
        headers = {hdrs.CONTENT_TYPE: "application/json", **signed}
        began = time.monotonic()
        try:
            async with self._http.post(self.url, data=body, headers=headers, allow_redirects=False) as answer:
                said = (await answer.content.read(_SHOWN_BYTES)).decode("utf-8", "replace")
                return ReceiverAnswer(answer.status, said, _since(began))
        except aiohttp.ClientConnectorError as error:
            return ReceiverAnswer(None, connection_problem(error), _since(began), connected=False)
        except TimeoutError:
            return ReceiverAnswer(None, f"no answer within {_TIMEOUT_SECONDS:.0f} s", _since(began))
        except aiohttp.ClientError as error:
            return ReceiverAnswer(None, f"the connection broke ({type(error).__name__})", _since(began))


@asynccontextmanager
async def reaching_receiver(url: str, secret: str) -> AsyncIterator[WebhookReceiver]:
    """A receiver at `url` that knows `secret`."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as http:
        yield WebhookReceiver(http, url, secret)


def new_secret() -> str:
    """`whsec_` and 256 bits, as endpoints of the API have them."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def checked_secret(text: str) -> str:
    """`text`, if it is a secret of Standard Webhooks.

    Raises:
        CommandError: it is none (exit code 2).
    """
    try:
        raw = base64.b64decode(text.removeprefix(_PREFIX) + "==", validate=False)
    except ValueError:
        raw = b""
    if not text.startswith(_PREFIX) or len(raw) < _LEAST_SECRET_BYTES:
        raise CommandError(
            f"a webhook's secret is {_PREFIX} and at least {_LEAST_SECRET_BYTES} bytes in base64", exit_code=2
        )
    return text


def checked_url(text: str) -> str:
    """`text`, if something can be posted there.

    Raises:
        CommandError: it can't (exit code 2).
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError("--forward-to takes a URL such as http://localhost:3000/hook", exit_code=2)
    return text


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
