"""Which addresses are public: each row of IANA's registries, its neighbors, and what carries it."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest

from sessions.destinations.public_address import is_public_address

# https://www.iana.org/assignments/iana-ipv4-special-registry, multicast, and what a cloud has beside them
IPV4_ROWS = [
    "0.0.0.0/8",
    "0.0.0.0/32",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.88.99.2/32",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "224.0.0.0/4",
    "192.0.0.192/32",
    "100.100.100.200/32",
    "169.254.169.254/32",
    "168.63.129.16/32",
]

# https://www.iana.org/assignments/iana-ipv6-special-registry without the two that carry an IPv4 address, multicast,
# site-local, and the forms of IPv4 addresses that nobody uses any more
IPV6_ROWS = [
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "::/96",
    "::ffff:0:0:0/96",
    "fd00:ec2::254/128",
]

PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.31.195.255",
    "192.31.197.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "203.0.114.0",
    "223.255.255.255",
    "168.63.129.15",
    "168.63.129.17",
    "2001:200::",
    "2001:db7:ffff::",
    "2001:db9::",
    "2003::",
    "2620:4f:7fff::",
    "2620:4f:8001::",
    "2606:4700::1111",
    "2a00:1450:4001::200e",
    "3ffe::",
]


def _of(network: IPv4Network | IPv6Network) -> set[IPv4Address | IPv6Address]:
    """Its first address, its last, and one between."""
    return {network[0], network[-1], network[network.num_addresses // 3]}


def _carrying(address: IPv4Address) -> list[IPv6Address]:
    """Mapped, NAT64 (well-known, and RFC 8215's in the forms of RFC 6052 for /48 and /96), 6to4, Teredo, compatible."""
    inner = int(address)
    return [
        IPv6Address(0xFFFF << 32 | inner),
        IPv6Address(0x64FF9B << 96 | inner),
        IPv6Address(0x64FF9B0001 << 80 | inner),
        IPv6Address(0x64FF9B0001 << 80 | (inner >> 16) << 64 | (inner & 0xFFFF) << 40),
        IPv6Address(0x2002 << 112 | inner << 80),
        IPv6Address(0x20010000 << 96 | 0x41360000 << 64 | (inner ^ 0xFFFFFFFF)),
        IPv6Address(inner),
        IPv6Address(0xFFFF0000 << 32 | inner),
    ]


@pytest.mark.parametrize("row", IPV4_ROWS)
def test_no_special_ipv4_address_is_public_and_nothing_that_carries_it(row: str) -> None:
    """Whatever the form; a cloud's metadata is behind some of them."""
    for address in _of(ip_network(row)):
        assert isinstance(address, IPv4Address)
        forms: list[IPv4Address | IPv6Address] = [address, *_carrying(address)]
        assert [str(form) for form in forms if is_public_address(form)] == []


@pytest.mark.parametrize("row", IPV6_ROWS)
def test_no_special_ipv6_address_is_public(row: str) -> None:
    """Also where the registry calls it globally reachable: nobody's server is there."""
    assert [str(address) for address in _of(ip_network(row)) if is_public_address(address)] == []


@pytest.mark.parametrize("text", PUBLIC)
def test_everything_beside_them_is_public(text: str) -> None:
    """Right before and right after a row."""
    assert is_public_address(ip_address(text))


def test_a_public_address_is_public_mapped_and_behind_nat64() -> None:
    """A host with IPv6 only reaches the others so; the other forms lead nowhere today."""
    public = [is_public_address(one) for one in _carrying(IPv4Address("8.8.8.8"))]

    assert public == [True, True, False, False, False, False, False, False]


def test_an_address_of_one_interface_is_not_public() -> None:
    """A zone names an interface of this host."""
    assert not is_public_address(IPv6Address("2606:4700::1111%eth0"))
