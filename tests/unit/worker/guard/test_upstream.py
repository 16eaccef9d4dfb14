"""Which way out the environment names, and how a process is sent through the guard."""

import os

import pytest

from worker.guard.upstream import Upstream, go_through, upstream_of


@pytest.mark.parametrize(
    ("proxies", "tunnel", "expected"),
    [
        ({}, True, None),
        ({"https": "http://p:3128"}, True, Upstream("p", 3128, "")),
        ({"https": "http://p:3128"}, False, None),
        ({"http": "p"}, True, Upstream("p", 80, "")),
        ({"all": "http://u:a%40b@p:1"}, False, Upstream("p", 1, "Proxy-Authorization: Basic dTphQGI=\r\n")),
        ({"https": "http://p:1", "no": "rooms.example"}, True, None),
        ({"https": "http://p:1", "no": "other.example"}, True, Upstream("p", 1, "")),
    ],
)
def test_the_environment_names_a_proxy_for_some_hosts(
    proxies: dict[str, str], tunnel: bool, expected: Upstream | None
) -> None:
    """As other programs read it."""
    assert upstream_of("rooms.example", tunnel=tunnel, proxies=proxies) == expected


def test_a_process_that_goes_through_the_guard_makes_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its environment said before, in capitals or not."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "REQUEST_METHOD"):
        monkeypatch.setenv(name, "*")
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://operator:1")
    go_through(4711, "owner")
    left = {name: os.environ[name] for name in os.environ if "proxy" in name.lower() or name == "REQUEST_METHOD"}
    assert left == {"HTTP_PROXY": "http://owner:-@127.0.0.1:4711", "HTTPS_PROXY": "http://owner:-@127.0.0.1:4711"}
