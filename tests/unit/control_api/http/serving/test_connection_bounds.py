"""Which connection goes when there are too many."""

import resource

import pytest

from control_api.http.serving.connection_bounds import ConnectionBounds
from parley.commands.api import _within_open_files
from parley.installation.open_files import raise_open_files
from sessions.settings import Settings


class Client:
    """A connection that only knows whether it is busy and closed."""

    def __init__(self, *, busy: bool = False) -> None:
        self.busy = busy
        self.closed = False

    def force_close(self) -> None:
        self.closed = True


def test_the_longest_idle_one_goes_and_the_busy_ones_stay() -> None:
    """Bringing something makes a connection young again."""
    bounds = ConnectionBounds(3, 0)
    waiting, idle, talking, new = Client(busy=True), Client(), Client(), Client()
    for number, one in enumerate((waiting, talking, idle)):
        bounds.add(one, f"192.0.2.{number}")
    bounds.touch(talking)
    bounds.add(new, "192.0.2.9")
    assert [one.closed for one in (waiting, idle, talking, new)] == [False, True, False, False]
    assert (len(bounds), bounds.evicted) == (3, 1)


def test_with_nobody_idle_the_new_one_is_not_taken() -> None:
    """Who is being served stays."""
    bounds = ConnectionBounds(2, 0)
    served = [Client(busy=True), Client(busy=True)]
    for one in served:
        bounds.add(one, "192.0.2.1")
    new = Client()
    bounds.add(new, "192.0.2.2")
    assert [one.closed for one in (*served, new)] == [False, False, True]


def test_one_address_crowds_out_its_own_connections_only() -> None:
    """All addresses of a /64 are one; closed connections free their places."""
    bounds = ConnectionBounds(0, 2)
    other = Client()
    bounds.add(other, "192.0.2.1")
    flood = [Client() for _ in range(5)]
    for number, one in enumerate(flood):
        bounds.add(one, f"2001:db8::{number}")
    assert [one.closed for one in flood] == [True, True, True, False, False]
    assert not other.closed
    for one in (*flood, other):
        bounds.remove(one)
    assert (len(bounds), bounds._of_one) == (0, {})


def test_no_limit_of_files_is_no_limit_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """What says "unlimited" is a negative number."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: unlimited)
    assert _within_open_files(Settings(), raise_open_files()).api_connections == 10_000


def test_the_api_opens_no_more_connections_than_there_are_files() -> None:
    """The soft limit becomes the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert raise_open_files() == hard
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    bounded = {
        most: _within_open_files(Settings(api_connections=most), 1024).api_connections for most in (0, 500, 9000)
    }
    assert bounded == {0: 824, 500: 500, 9000: 824}
