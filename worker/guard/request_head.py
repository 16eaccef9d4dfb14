"""The head of a request to the proxy, taken apart. Pure."""

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from worker.guard.refusals import Refusal, RefusedError
from worker.guard.spans import Spans

MOST_BYTES = 65536
SPANS = "Parley-Spans"


class Ask(StrEnum):
    """What a recorder process asks of the guard itself, as methods; nothing is dialed."""

    CUT = "CUT"  # end my connections to there: all, and refuse the next ones; or those within the spans that I name
    COUNT = "COUNT"  # tell what has come over them


_OF_THE_PROXY = (b"proxy-", b"connection:", b"keep-alive:", b"te:", b"upgrade:")
_PORT = 80


@dataclass(frozen=True, slots=True)
class RequestHead:
    """Where a request wants to go.

    Attributes:
        host: without brackets, in lower case.
        port: 1 to 65535.
        whose: who asks, as its credentials say; nobody proves it, as who reaches this proxy is on its host.
        passed_on: what the server gets first: nothing of a CONNECT, else a request in the form that servers expect,
            after which they close.
        ask: what is asked of the guard; None: to dial.
        spans: which connections that is about; None: all of them.
    """

    host: str
    port: int
    whose: str
    passed_on: bytes
    ask: Ask | None = None
    spans: Spans | None = None

    @property
    def target(self) -> str:
        """`host:port`, as CONNECT names it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def read(cls, head: bytes) -> "RequestHead":
        """Take apart what came up to and with the empty line.

        Raises:
            RefusedError: it is neither a CONNECT nor an `Ask` nor a GET of an absolute http:// URL without a body.
        """
        lines = head.split(b"\r\n")
        try:
            method, target, _ = lines[0].decode("ascii").split(" ")
            names_host = method in ("CONNECT", *Ask)
            url = urlsplit(f"//{target}" if names_host else target)
            host, port = (url.hostname or "").lower(), url.port or (0 if names_host else _PORT)
        except ValueError:
            raise RefusedError(Refusal.UNREADABLE) from None
        fields = [line for line in lines[1:] if line]
        names = [field.partition(b":")[0].strip().lower() for field in fields]
        tunnel = names_host and not (url.path or url.query)
        get = method == "GET" and url.scheme == "http"
        if not (tunnel or get) or not host or not port or "@" in url.netloc:
            raise RefusedError(Refusal.UNREADABLE)
        if b"content-length" in names or b"transfer-encoding" in names:
            raise RefusedError(Refusal.UNREADABLE)
        kept = [field for field in fields if not field.lower().startswith(_OF_THE_PROXY)]
        path = url.path + (f"?{url.query}" if url.query else "")
        first = f"GET {path or '/'} HTTP/1.1".encode()
        passed_on = b"" if tunnel else b"\r\n".join([first, *kept, b"Connection: close", b"", b""])
        if method not in tuple(Ask):
            return cls(host, port, _user(fields), passed_on)
        return cls(host, port, _user(fields), passed_on, Ask(method), _spans(fields))


def _user(fields: list[bytes]) -> str:
    scheme, _, credentials = _value(fields, "Proxy-Authorization").partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[0].decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _spans(fields: list[bytes]) -> Spans | None:
    text = _value(fields, SPANS)
    try:
        return Spans.read(text.decode()) if text else None
    except ValueError:
        raise RefusedError(Refusal.UNREADABLE) from None


def _value(fields: list[bytes], name: str) -> bytes:
    """The first field of that name; empty if there is none."""
    pairs = [field.partition(b":") for field in fields]
    return next((value.strip() for key, _, value in pairs if key.strip().lower() == name.lower().encode()), b"")
