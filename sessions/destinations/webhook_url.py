"""Which URLs webhooks may go to, as far as a URL tells. Names are judged by their addresses, when they are dialed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from sessions.destinations.public_address import is_public_address, literal_address
from sessions.errors import ParleyError

MAX_URL_CHARACTERS = 2048
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class UrlRules:
    """What an installation allows.

    Attributes:
        allow_http: URLs may be in clear.
        allow_private_hosts: addresses need not be public.
        ports: those that are dialed; empty: every one.
    """

    allow_http: bool = False
    allow_private_hosts: bool = False
    ports: frozenset[int] = frozenset({443, 8443})

    @classmethod
    def of(cls, *, allow_http: bool, allow_private_hosts: bool, ports: Iterable[int]) -> Self:
        """The rules of settings, where port 0 stands for every port."""
        named = frozenset(ports)
        return cls(allow_http, allow_private_hosts, frozenset() if 0 in named else named)


def check_webhook_url(text: str, rules: UrlRules) -> None:
    """Return if webhooks may go to `text`.

    Raises:
        ParleyError: `webhook.url_not_allowed`.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname or ""
        address = literal_address(host) if host else None
    except ValueError:
        raise _refused("the URL cannot be read") from None
    if parts.scheme not in _DEFAULT_PORTS or (parts.scheme == "http" and not rules.allow_http):
        raise _refused("the URL must start with https://")
    if not host or len(host) > 253 or any(c <= " " or c in "\\\x7f%" for c in parts.netloc) or not text.isascii():
        raise _refused("the URL has no usable host")
    if any(c <= " " or c in "\\\x7f" for c in text) or "@" in parts.netloc or parts.fragment or text.endswith("#"):
        raise _refused("the URL must not carry spaces, userinfo or a fragment")
    if rules.ports and (_DEFAULT_PORTS[parts.scheme] if port is None else port) not in rules.ports:
        listed = ", ".join(str(number) for number in sorted(rules.ports))
        raise _refused(f"the URL's port is not one of {listed}")
    if rules.allow_private_hosts:
        return
    named = host.rstrip(".")
    if named == "localhost" or named.endswith(".localhost"):
        raise _refused("the URL names this host")
    if address is not None and not is_public_address(address):
        raise _refused("the URL has an address that is not public")


def origin(url: str) -> str:
    """Scheme, host and port of a URL that may be used: what of it is no secret of its receiver's."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _refused(message: str) -> ParleyError:
    return ParleyError("webhook.url_not_allowed", message, param="url")
