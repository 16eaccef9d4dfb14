"""Which room URLs Parley dials: the preflight against server-side request forgery.

Literal addresses are judged here at create; names are resolved by the worker right before the join and by the guard
that dials, and each address is judged by the same `AllowedAddresses`.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from sessions.destinations.public_address import is_public_address, literal_address
from sessions.errors import ParleyError

PARAM = "transport.url"
_SCHEMES = {"ws": 80, "http": 80, "wss": 443, "https": 443}


@dataclass(frozen=True, slots=True)
class RoomUrl:
    """A room's URL, taken apart."""

    text: str
    scheme: str
    host: str  # lower case, without brackets
    port: int
    address: IPv4Address | IPv6Address | None  # when the host is a literal


@dataclass(frozen=True, slots=True)
class AllowedAddresses:
    """What Parley may dial: public addresses, and what the installation allows.

    Attributes:
        everything: private and loopback addresses too, and names of this host.
        networks: whose addresses are allowed, whatever they are.
    """

    everything: bool = False
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def allows(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether it may be dialed."""
        named = any(address.version == network.version and address in network for network in self.networks)
        return self.everything or named or is_public_address(address)


PUBLIC_ONLY = AllowedAddresses()


def parse_room_url(text: str, allowed: AllowedAddresses = PUBLIC_ONLY) -> RoomUrl:
    """The URL, if Parley may dial it.

    Raises:
        ParleyError: `transport.url_not_allowed`.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise _refused("the room's URL cannot be read") from None
    if parts.scheme not in _SCHEMES:
        raise _refused("the room's URL must start with wss://, ws://, https:// or http://")
    if not host or len(host) > 253 or any(c <= " " or c in "\\\x7f%" for c in text) or not text.isascii():
        raise _refused("the room's URL has no usable host")
    if "@" in parts.netloc or parts.query or parts.fragment or text.endswith(("?", "#")):
        raise _refused("the room's URL must not carry userinfo, a query or a fragment")
    try:
        address = literal_address(host)
    except ValueError:
        raise _refused("the room's URL has an address in an unusual spelling") from None
    named = host.rstrip(".")
    if not allowed.everything and (named == "localhost" or named.endswith(".localhost")):
        raise _refused("the room's URL names this host")
    if address is not None and not allowed.allows(address):
        raise _refused("the room's URL has an address that is not public")
    return RoomUrl(text, parts.scheme, host, port or _SCHEMES[parts.scheme], address)


def _refused(message: str) -> ParleyError:
    return ParleyError("transport.url_not_allowed", message, param=PARAM)
