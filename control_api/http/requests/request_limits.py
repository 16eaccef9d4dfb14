"""How often somebody may ask one API process: token buckets of keys, organizations, addresses and sessions, in memory.

The headers are those of the IETF's draft-ietf-httpapi-ratelimit-headers-10.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from aiohttp import web

from control_api.http.answers.envelope import RefusedRequestError
from control_api.http.requests.dependencies import DEPENDENCIES
from sessions.organizations.limits import Limits
from sessions.organizations.token_bucket import Rate, TokenBucket
from store.access.api_keys import Principal

BURST_SECONDS = 10  # of requests, that may come at once
MINUTE_SECONDS = 60
MAX_BUCKETS = 20_000  # those that were used last; whose is forgotten starts with a full one
LEFT = "RateLimit"
POLICY = "RateLimit-Policy"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of one limit after a request: how many, of how many, and seconds until it is full again."""

    name: str
    left: int
    burst: int
    window_seconds: int | None = None
    full_in_seconds: int | None = None

    @property
    def left_header(self) -> str:
        """An item of `RateLimit`."""
        return f'"{self.name}";r={self.left}' + _parameter("t", self.full_in_seconds)

    @property
    def policy_header(self) -> str:
        """An item of `RateLimit-Policy`."""
        return f'"{self.name}";q={self.burst}' + _parameter("w", self.window_seconds)


ALLOWANCES = web.RequestKey("allowances", list[Allowance])


@dataclass(frozen=True, slots=True)
class _Ask:
    """One token is wanted from the bucket of `who`; `rate` None: no limit."""

    name: str
    who: Hashable
    rate: Rate | None
    window_seconds: int


class RequestLimits:
    """The buckets of one API process.

    Args:
        default: the limits of organizations that have none of their own.
        address_requests_per_second: of requests without a valid key, per address; 0: no limit.
        clock: seconds; never goes back.
    """

    def __init__(
        self, default: Limits, address_requests_per_second: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._default = default
        self._address_rate = _per_second(address_requests_per_second)
        self._clock = clock
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def of(self, principal: Principal) -> Limits:
        """The limits of whoever asks."""
        return self._default.with_own(principal.own_limits)

    def take_request(self, principal: Principal) -> list[Allowance]:
        """A request of a key.

        Raises:
            RefusedRequestError: `rate_limit.requests` with `retry_after_seconds`: the key's limit, or its
                organization's, is used up.
        """
        return self._take("rate_limit.requests", "requests", *self._asks(principal))

    def take_create(self, principal: Principal) -> list[Allowance]:
        """A session that is created.

        Raises:
            RefusedRequestError: `rate_limit.creates`.
        """
        return self._take("rate_limit.creates", "new sessions", self._create(principal))

    def take_message(self, principal: Principal, session: Hashable) -> list[Allowance]:
        """A message into a session.

        Raises:
            RefusedRequestError: `rate_limit.messages`.
        """
        rate = _per_minute(self.of(principal).messages_per_minute)
        ask = _Ask("messages", ("messages", session), rate, MINUTE_SECONDS)
        return self._take("rate_limit.messages", "messages into this session", ask)

    def take_unauthenticated(self, address: str | None) -> list[Allowance]:
        """A request without a valid key.

        Raises:
            RefusedRequestError: `rate_limit.requests`.
        """
        who = ("address", network_of(address))
        return self._take("rate_limit.requests", "requests", _Ask("address", who, self._address_rate, BURST_SECONDS))

    def left(self, principal: Principal) -> dict[str, int]:
        """How many requests of the key and of its organization, and how many creates, may come at once now, by the
        names of the headers; only of those that are limited."""
        now = self._clock()
        asks = (*self._asks(principal), self._create(principal))
        return {ask.name: int(self._bucket(ask, ask.rate, now).tokens) for ask in asks if ask.rate is not None}

    def _create(self, principal: Principal) -> _Ask:
        rate = _per_minute(self.of(principal).creates_per_minute)
        return _Ask("creates", ("creates", principal.organization_id), rate, MINUTE_SECONDS)

    def _asks(self, principal: Principal) -> tuple[_Ask, _Ask]:
        limits = self.of(principal)
        return (
            _Ask("key", principal.key_id, _per_second(limits.key_requests_per_second), BURST_SECONDS),
            _Ask("organization", principal.organization_id, _per_second(limits.requests_per_second), BURST_SECONDS),
        )

    def _take(self, code: str, of_what: str, *asks: _Ask) -> list[Allowance]:
        """Take a token from every bucket, or from none."""
        now = self._clock()
        limited = [(ask, ask.rate, self._bucket(ask, ask.rate, now)) for ask in asks if ask.rate is not None]
        wait = max((bucket.seconds_until_one(rate) for _, rate, bucket in limited), default=0.0)
        if not wait:
            for _, _, bucket in limited:
                bucket.tokens -= 1
        allowances = [
            Allowance(
                ask.name,
                int(bucket.tokens),
                rate.burst,
                ask.window_seconds,
                math.ceil((rate.burst - bucket.tokens) / rate.per_second),
            )
            for ask, rate, bucket in limited
        ]
        if wait:
            seconds = math.ceil(wait)
            error = RefusedRequestError(
                code, f"too many {of_what}: the next one is welcome in {seconds} s", headers_of(allowances)
            )
            error.extra["retry_after_seconds"] = seconds
            raise error
        return allowances

    def _bucket(self, ask: _Ask, rate: Rate, now: float) -> TokenBucket:
        bucket = self._buckets.get(ask.who)
        if bucket is None:
            bucket = self._buckets[ask.who] = TokenBucket(float(rate.burst), now)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(ask.who)
        bucket.refill(rate, now)
        return bucket


def headers_of(allowances: list[Allowance]) -> dict[str, str]:
    """`RateLimit` and `RateLimit-Policy`; none without a limit."""
    if not allowances:
        return {}
    return {
        LEFT: ", ".join(one.left_header for one in allowances),
        POLICY: ", ".join(one.policy_header for one in allowances),
    }


def network_of(address: str | None) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one customer of a provider has."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((ip, 64), strict=False))
        ip = ip.ipv4_mapped
    return str(ip)


def note(request: web.Request, allowances: list[Allowance]) -> None:
    """Let the answer say what is left."""
    request.setdefault(ALLOWANCES, []).extend(allowances)


def _per_second(limit: int) -> Rate | None:
    return Rate(limit, limit * BURST_SECONDS) if limit else None


def _per_minute(limit: int) -> Rate | None:
    return Rate(limit / MINUTE_SECONDS, limit) if limit else None


def _parameter(name: str, value: int | None) -> str:
    return "" if value is None else f";{name}={value}"


REQUEST_LIMITS = web.AppKey("request_limits", RequestLimits)


def open_request_limits(app: web.Application) -> RequestLimits:
    """The buckets of an application's process, empty as yet."""
    settings = app[DEPENDENCIES].settings
    return RequestLimits(Limits.of(settings), settings.limit_address_requests_per_second)
