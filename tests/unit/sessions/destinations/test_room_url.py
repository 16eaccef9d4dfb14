"""Which addresses Parley dials."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.destinations.public_address import is_public_address
from sessions.destinations.room_url import AllowedAddresses, RoomUrl, parse_room_url
from sessions.errors import ParleyError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("wss://Rooms.Example", "rooms.example", 443),
        ("ws://rooms.example:7880/path", "rooms.example", 7880),
        ("http://8.8.8.8", "8.8.8.8", 80),
        ("https://[2606:4700::1111]", "2606:4700::1111", 443),
    ],
)
def test_public_rooms_are_dialed(text: str, host: str, port: int) -> None:
    """Host in lower case, the scheme's port unless given."""
    url = parse_room_url(text)

    assert (url.text, url.host, url.port) == (text, host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rooms.example",
        "ftp://rooms.example",
        "file:///etc/passwd",
        "wss://",
        "wss://user:pw@rooms.example",
        "wss://user@rooms.example",
        "wss://rooms.example?token=1",
        "wss://rooms.example?",
        "wss://rooms.example#x",
        "wss://rooms.example:99999",
        "wss://rooms.example:x",
        "wss://rooms example",
        "wss://rooms.example\n",
        "wss://róoms.example",
        "wss://[::1",
        "wss://localhost",
        "wss://a.localhost",
        "wss://127.0.0.1",
        "wss://127.1",
        "wss://0x7f000001",
        "wss://2130706433",
        "wss://10.0.0.1",
        "wss://169.254.169.254",
        "wss://100.64.0.1",
        "wss://192.168.1.1",
        "wss://224.0.0.1",
        "wss://0.0.0.0",
        "wss://255.255.255.255",
        "wss://[::1]",
        "wss://[::]",
        "wss://[fe80::1]",
        "wss://[fec0::1]",
        "wss://[fd00::1]",
        "wss://[ff02::1]",
        "wss://[::ffff:127.0.0.1]",
        "wss://[::127.0.0.1]",
        "wss://[64:ff9b::7f00:1]",
        "wss://[64:ff9b:1::a00:1]",
        "wss://[2002:7f00:1::]",
        "wss://[2001:0:4136:e378:8000:63bf:80ff:fffe]",
        "wss://[2001:db8::1]",
        "wss://[3fff:fff::1]",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    """Other schemes, secrets in the URL, and addresses that are not public in whatever disguise."""
    with pytest.raises(ParleyError) as refused:
        parse_room_url(text)

    assert (refused.value.code, refused.value.param) == ("transport.url_not_allowed", "transport.url")


@pytest.mark.parametrize("text", ["ws://127.0.0.1:7880", "ws://localhost:7880", "ws://[::1]:7880", "ws://10.1.2.3"])
def test_development_may_dial_private_hosts(text: str) -> None:
    """To allow everything lifts the address rule only."""
    assert parse_room_url(text, AllowedAddresses(everything=True)).text == text
    with pytest.raises(ParleyError):
        parse_room_url(text.replace("ws://", "ws://user@"), AllowedAddresses(everything=True))


def test_a_network_may_be_allowed_and_nothing_beside_it() -> None:
    """Neither its neighbors, nor its own addresses in the disguise of another protocol, nor this host."""
    allowed = AllowedAddresses(networks=(ip_network("10.1.2.0/24"), ip_network("fd00:5::/32")))

    assert parse_room_url("ws://10.1.2.255", allowed).address == IPv4Address("10.1.2.255")
    assert parse_room_url("ws://[fd00:5::1]", allowed).host == "fd00:5::1"
    for text in ("ws://10.1.3.0", "ws://[::ffff:10.1.2.1]", "ws://[fd00:6::1]", "ws://localhost.", "ws://localhost"):
        with pytest.raises(ParleyError):
            parse_room_url(text, allowed)


@given(st.ip_addresses(v=4))
def test_a_form_is_as_public_as_what_it_carries(address: IPv4Address) -> None:
    """Mapped and NAT64 spellings are judged by the address inside; a 6to4 tunnel is never dialed."""
    inner = int(address)
    forms = [IPv6Address(0xFFFF << 32 | inner), IPv6Address(0x64FF9B << 96 | inner)]

    assert {is_public_address(form) for form in forms} == {is_public_address(address)}
    assert not is_public_address(IPv6Address(0x2002 << 112 | inner << 80))


@given(st.text(max_size=60))
def test_no_text_breaks_the_check(text: str) -> None:
    """Either a URL or the one refusal."""
    for candidate in (text, f"wss://{text}"):
        with suppress(ParleyError):
            host = parse_room_url(candidate).host
            assert host == host.lower()


def test_a_url_is_taken_apart() -> None:
    """Scheme and host in lower case, the port of the scheme, an address when it is one; a host has 253 characters."""
    assert parse_room_url("WSS://Rooms.Example/x") == RoomUrl(
        "WSS://Rooms.Example/x", "wss", "rooms.example", 443, None
    )
    literal = "http://[2606:4700::1]:81"
    assert parse_room_url(literal) == RoomUrl(literal, "http", "2606:4700::1", 81, IPv6Address("2606:4700::1"))
    assert parse_room_url("ws://" + "a" * 253).host == "a" * 253


@pytest.mark.parametrize("text", ["ws://127.1.", "ws://a.0x7f.", "ws://" + "a" * 254, "wss://a/#", "wss://a/?"])
def test_near_misses_are_refused(text: str) -> None:
    """Another spelling of an address, one character more, an empty fragment or query."""
    with pytest.raises(ParleyError, match=r"transport\.url_not_allowed"):
        parse_room_url(text, AllowedAddresses(everything=True))
