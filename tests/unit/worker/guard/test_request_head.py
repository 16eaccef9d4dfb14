"""What the guard reads of a request, and what it passes on."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.guard.refusals import Refusal, RefusedError
from worker.guard.request_head import RequestHead

OWNER = base64.b64encode(b"0196-owner:-").decode()


def test_a_tunnel_names_its_target_and_passes_nothing_on() -> None:
    """As LiveKit's SDK asks for one."""
    head = RequestHead.read(
        f"CONNECT Rooms.Example:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic {OWNER}\r\n\r\n".encode()
    )
    assert head == RequestHead("rooms.example", 443, "0196-owner", b"")
    assert head.target == "rooms.example:443"


def test_an_ipv6_target_has_brackets() -> None:
    """Where it is named."""
    head = RequestHead.read(b"CONNECT [2606:4700::1]:7880 HTTP/1.1\r\n\r\n")
    assert (head.host, head.target, head.whose) == ("2606:4700::1", "[2606:4700::1]:7880", "")


def test_a_get_is_passed_on_in_the_form_of_servers_without_what_is_the_proxys() -> None:
    """Credentials of the proxy included; the server is told to close."""
    head = RequestHead.read(
        b"GET http://rooms.example/rtc/validate?a=1 HTTP/1.1\r\nHost: rooms.example\r\nproxy-authorization: Basic x\r\n"
        b"Proxy-Connection: keep-alive\r\nConnection: keep-alive\r\nauthorization: Bearer t\r\n\r\n"
    )
    assert (head.host, head.port) == ("rooms.example", 80)
    assert head.passed_on == (
        b"GET /rtc/validate?a=1 HTTP/1.1\r\nHost: rooms.example\r\nauthorization: Bearer t\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1",
        "GET https://rooms.example/ HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://a@rooms.example/ HTTP/1.1",
        "POST http://rooms.example/ HTTP/1.1",
        "CONNECT rooms.example HTTP/1.1",
        "CONNECT rooms.example:0 HTTP/1.1",
        "CONNECT rooms.example:65536 HTTP/1.1",
        "CONNECT rooms.example:443/x HTTP/1.1",
        "CONNECT a@rooms.example:443 HTTP/1.1",
        "CONNECT [::1:443 HTTP/1.1",
        "CONNECT rooms.example:443",
        "GET http://rooms.example/ HTTP/1.1\r\nContent-Length: 3",
        "GET http://rooms.example/ HTTP/1.1\r\nTransfer-Encoding: chunked",
        "",
    ],
)
def test_everything_else_is_unreadable(line: str) -> None:
    """The SDK asks for nothing else."""
    with pytest.raises(RefusedError) as refused:
        RequestHead.read(f"{line}\r\n\r\n".encode())
    assert refused.value.refusal is Refusal.UNREADABLE


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    """Either a target or the one refusal."""
    for head in (data, b"CONNECT " + data, b"GET http://" + data + b" HTTP/1.1\r\n\r\n"):
        try:
            read = RequestHead.read(head)
        except RefusedError:
            continue
        assert read.host == read.host.lower()
        assert 0 < read.port < 65536
