"""Which IP addresses belong to the public internet, and which host names are addresses.

What is not public unicast space, or has a row in IANA's registries of special-purpose addresses, is not public, also
where a row calls itself globally reachable: no room and no receiver of webhooks lives there. The one exception is an
address that carries an IPv4 address to where that one leads: it is judged by what it carries.

Sources:
    https://www.iana.org/assignments/iana-ipv4-special-registry
    https://www.iana.org/assignments/iana-ipv6-special-registry
    https://www.iana.org/assignments/ipv6-address-space (unicast: 2000::/3)
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_SPECIAL_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast
        "168.63.129.16/32",  # Azure's own services on each of its hosts; IANA knows nothing of it
    )
)
_UNICAST_IPV6 = IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, AMT, AS112, ORCHID, DETs
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")


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
    """Whether `address` is unicast, without a special purpose, and carries no address that isn't.

    Python's `is_global` is not the test: what it knows of the registries depends on Python's version, and it is true
    for 224.0.0.1, 64:ff9b::7f00:1, 2002:7f00:1:: and fec0::1.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    if address.scope_id is not None:
        return False
    if address in _MAPPED or address in _NAT64:
        return is_public_address(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _UNICAST_IPV6 and not any(address in network for network in _SPECIAL_IPV6)
