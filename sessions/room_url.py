"""Which room URLs Parley dials: the preflight against server-side request forgery.

Literal addresses are judged here at create; names are resolved by the worker right before the join and by the guard
that dials, and each address is judged by the same `AllowedAddresses`.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from sessions.errors import ParleyError

PARAM = "transport.url"
_SCHEMES = {"ws": 80, "http": 80, "wss": 443, "https": 443}
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_DOCUMENTATION = IPv6Network("3fff::/20")  # RFC 9637, which Python learned in 3.13


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
    address = _literal(host)
    named = host.rstrip(".")
    if not allowed.everything and (named == "localhost" or named.endswith(".localhost")):
        raise _refused("the room's URL names this host")
    if address is not None and not allowed.allows(address):
        raise _refused("the room's URL has an address that is not public")
    return RoomUrl(text, parts.scheme, host, port or _SCHEMES[parts.scheme], address)


def is_public_address(address: IPv4Address | IPv6Address) -> bool:
    """Whether `address` is global unicast after unwrapping what tunnels another one.

    Python's `is_global` alone is not the test: it is true for 224.0.0.1, 64:ff9b::7f00:1, 2002:7f00:1::, fec0::1 and,
    before 3.13, 3fff::1.
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    if address.scope_id is not None:
        return False
    inner = _embedded(address)
    if inner is not None:
        return is_public_address(inner)
    return address in _GLOBAL_UNICAST and address not in _DOCUMENTATION and address.is_global


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return address.sixtofour
    if address in _TEREDO:
        return address.teredo[1] if address.teredo else IPv4Address(0)
    if any(address in network for network in _NAT64) or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        pass
    # "127.1", "0x7f000001" and "2130706433" are addresses to the resolvers that dial; no public name looks like them.
    last = host.rstrip(".").rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        raise _refused("the room's URL has an address in an unusual spelling")
    return None


def _refused(message: str) -> ParleyError:
    return ParleyError("transport.url_not_allowed", message, param=PARAM)
