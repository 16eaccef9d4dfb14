"""The proxy that the installation's own environment names for the way out, if it does."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
GUARD_HOST = "127.0.0.1"
_PORT = 80


@dataclass(frozen=True, slots=True)
class Upstream:
    """Another proxy; `credentials` are a header line with its end, or nothing."""

    host: str
    port: int
    credentials: str

    def connect(self, target: str) -> bytes:
        """The request for a tunnel to `target`."""
        return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{self.credentials}\r\n".encode()


def upstream_of(host: str, *, tunnel: bool, proxies: Mapping[str, str] | None = None) -> Upstream | None:
    """What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say about a host; None: it is dialed directly."""
    named = dict(getproxies_environment() if proxies is None else proxies)
    text = (named.get("https") if tunnel else None) or named.get("http") or named.get("all")
    if not text or proxy_bypass_environment(host, named):
        return None
    url = urlsplit(text if "://" in text else f"//{text}")
    credentials = ""
    if url.username:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        credentials = f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
    return None if not url.hostname else Upstream(url.hostname, url.port or _PORT, credentials)


def go_through(port: int, owner: str) -> None:
    """Have what is loaded in this process from now on go through the guard on loopback, as `owner`, without exception.

    Libraries that have read the environment before, as the object storage's has when it is open, are not concerned.
    """
    for name in PROXY_VARIABLES:
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)
    os.environ.pop("REQUEST_METHOD", None)  # with it, as in a CGI program, HTTP_PROXY would not count
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        os.environ[name] = f"http://{owner}:-@{GUARD_HOST}:{port}"
