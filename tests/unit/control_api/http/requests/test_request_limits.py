"""Token buckets of keys, organizations, addresses and sessions, in virtual time."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from control_api.http.answers.envelope import RefusedRequestError
from control_api.http.requests import request_limits
from control_api.http.requests.request_limits import BURST_SECONDS, RequestLimits, headers_of, network_of
from sessions.organizations.limits import Limits
from store.access.api_keys import Principal

NONE = Limits(0, 0, 0, 0, 0, 0, 0, 0)
ORGANIZATION = UUID(int=1)


class Clock:
    """A clock that stands still unless it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def principal(organization: UUID = ORGANIZATION, **own: int) -> Principal:
    """A key of its own."""
    return Principal(organization, uuid4(), "master", None, frozenset(), datetime.now(UTC), own_limits=own)


def refused(limits: RequestLimits, who: Principal) -> RefusedRequestError | None:
    """The error of a request, if it is refused."""
    try:
        limits.take_request(who)
    except RefusedRequestError as error:
        return error
    return None


def test_ten_seconds_worth_comes_at_once_and_then_so_many_per_second() -> None:
    """Who asks faster is told how long to wait, and asking again costs nothing."""
    clock = Clock()
    limits = RequestLimits(replace(NONE, key_requests_per_second=2), 0, clock=clock)
    who = principal()
    assert [refused(limits, who) for _ in range(2 * BURST_SECONDS)] == [None] * 20
    error = refused(limits, who)
    assert error is not None
    assert (error.code, error.extra) == ("rate_limit.requests", {"retry_after_seconds": 1})
    assert error.headers == {"RateLimit": '"key";r=0;t=10', "RateLimit-Policy": '"key";q=20;w=10'}
    clock.now += 0.5
    assert refused(limits, who) is None
    assert refused(limits, who) is not None
    clock.now += 1000
    assert [refused(limits, who) is None for _ in range(21)] == [True] * 20 + [False]


def test_keys_share_their_organizations_limit_and_other_organizations_do_not() -> None:
    """A refused request takes from neither bucket."""
    limits = RequestLimits(replace(NONE, requests_per_second=1, key_requests_per_second=1), 0, clock=Clock())
    one, two, stranger = principal(), principal(), principal(UUID(int=2))
    assert [refused(limits, one) for _ in range(6)] == [None] * 6
    assert [refused(limits, two) is None for _ in range(6)] == [True] * 4 + [False] * 2
    assert limits.left(two) == {"key": 6, "organization": 0}
    assert refused(limits, stranger) is None


def test_an_organization_has_limits_of_its_own_and_zero_is_none() -> None:
    """Of each kind by itself; what is no limit is no header either."""
    limits = RequestLimits(replace(NONE, key_requests_per_second=1), 0, clock=Clock())
    free = principal(key_requests_per_second=0)
    assert [refused(limits, free) for _ in range(100)] == [None] * 100
    assert headers_of(limits.take_request(free)) == {}
    bound = principal(requests_per_second=3, key_requests_per_second=2, something_of_the_future=1)
    allowances = limits.take_request(bound)
    assert headers_of(allowances) == {
        "RateLimit": '"key";r=19;t=1, "organization";r=29;t=1',
        "RateLimit-Policy": '"key";q=20;w=10, "organization";q=30;w=10',
    }


def test_messages_are_limited_per_session_and_creates_per_organization() -> None:
    """A minute's worth comes at once."""
    clock = Clock()
    limits = RequestLimits(replace(NONE, creates_per_minute=2, messages_per_minute=3), 0, clock=clock)
    for _ in range(2):
        limits.take_create(principal())
    with pytest.raises(RefusedRequestError) as caught:
        limits.take_create(principal())
    assert (caught.value.code, caught.value.extra["retry_after_seconds"]) == ("rate_limit.creates", 30)
    limits.take_create(principal(UUID(int=2)))
    for _ in range(3):
        limits.take_message(principal(), "session")
    with pytest.raises(RefusedRequestError, match=r"rate_limit\.messages"):
        limits.take_message(principal(), "session")
    limits.take_message(principal(), "another session")
    clock.now += 20
    limits.take_message(principal(), "session")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, ""),
    ],
)
def test_an_address_is_what_one_customer_of_a_provider_has(address: str | None, network: str) -> None:
    """Else whoever has a /64 has as many addresses as he likes."""
    assert network_of(address) == network


def test_strangers_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that were used last are kept."""
    monkeypatch.setattr(request_limits, "MAX_BUCKETS", 100)
    limits = RequestLimits(NONE, 1, clock=Clock())
    for number in range(1000):
        limits.take_unauthenticated(f"10.0.{number // 250}.{number % 250}")
    assert len(limits._buckets) == 100
