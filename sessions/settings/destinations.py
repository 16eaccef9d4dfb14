"""Where rooms and receivers of webhooks may be, what a room may send, and how often a receiver is tried."""

from ipaddress import IPv4Network, IPv6Network

from pydantic import Field

from sessions.destinations.room_url import AllowedAddresses
from sessions.destinations.webhook_url import UrlRules
from sessions.settings.settings_group import SettingsGroup, why
from sessions.webhooks.retry_schedule import RETRY_SECONDS


class Destinations(SettingsGroup):
    """Where rooms and receivers of webhooks may be, what a room may send, and how often a receiver is tried."""

    allow_private_hosts: bool = Field(
        False,
        description="Let rooms have private and loopback addresses (development).",
        json_schema_extra=why(
            "Customers name the rooms' addresses, so a worker could be led into your network (docs/security.md)."
        ),
    )
    allow_room_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description="Networks, comma-separated (10.1.2.0/24), in which rooms may be although they are not public.",
        json_schema_extra=why("A LiveKit server of your own network is reached without opening the rest of it."),
    )
    room_burst_kb: int = Field(
        512,
        ge=64,
        description="KiB that a room's server may send at once over a signaling connection, answers to joins included.",
        json_schema_extra=why(
            "A participant is about half a KiB of a join's answer: a thousand fit. What a hostile server sends without"
            " ever answering a join takes up to 260 times its size in memory (measured with livekit 1.2.1). The guard"
            " cuts off who sends more, and does not dial again for join_seconds; a recorder process has eight times as"
            " much for all its rooms together."
        ),
    )
    room_rate_kb: int = Field(
        64,
        ge=1,
        description="KiB per second that it may send in the long run.",
        json_schema_extra=why("Many times what a busy room needs; media and texts do not go this way."),
    )
    webhook_allow_http: bool = Field(
        False,
        description="Let webhooks go to http:// URLs.",
        json_schema_extra=why("Events say who talks to whom; in clear everybody on the way reads them."),
    )
    webhook_allow_private_hosts: bool = Field(
        False,
        description="Let webhooks go to private and loopback addresses (development, or receivers in your network).",
        json_schema_extra=why("Customers name the URLs, so a worker could be led into your network."),
    )
    webhook_ports: tuple[int, ...] = Field(
        (443, 8443),
        description="Ports that webhooks may go to, comma-separated; 0: every port.",
        json_schema_extra=why("What listens on other ports is rarely meant for strangers."),
    )
    webhook_timeout_seconds: float = Field(
        15,
        gt=0,
        le=60,
        description="Seconds for one attempt: resolving, connecting, sending, reading.",
        json_schema_extra=why("Convention of Standard Webhooks: 15 to 30. A receiver answers first, and works then."),
    )
    webhook_retry_seconds: tuple[float, ...] = Field(
        RETRY_SECONDS,
        description="Seconds before the second attempt, the third, and so on, comma-separated; ± 10 %.",
        json_schema_extra=why("The schedule of Standard Webhooks: ten attempts in a little over three days."),
    )
    webhook_failing_days: float = Field(
        5,
        gt=0,
        description="Days of nothing but failures after which a webhook endpoint is disabled.",
        json_schema_extra=why("A long weekend, and two days to notice."),
    )

    @property
    def allowed_addresses(self) -> AllowedAddresses:
        """Where rooms may be."""
        return AllowedAddresses(self.allow_private_hosts, self.allow_room_networks)

    @property
    def webhook_url_rules(self) -> UrlRules:
        """Which URLs webhooks may go to."""
        return UrlRules.of(
            allow_http=self.webhook_allow_http,
            allow_private_hosts=self.webhook_allow_private_hosts,
            ports=self.webhook_ports,
        )
