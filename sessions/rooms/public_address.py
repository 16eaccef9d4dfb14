"""Which IP addresses belong to the public internet, and which host names are addresses."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_DOCUMENTATION = IPv6Network("3fff::/20")  # RFC 9637, which Python learned in 3.13


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` is; None for a name.

    Raises:
        ValueError: an address in a spelling that only some resolvers know.
    """
    try:
        return ip_address(host)
    except ValueError:
        pass
    # "127.1", "0x7f000001" and "2130706433" are addresses to the resolvers that dial; no public name looks like them.
    last = host.rstrip(".").rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        raise ValueError("an address in an unusual spelling")
    return None


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
