"""Where the API and the worker's health page listen, and what clients call them."""

import re

from pydantic import Field, field_validator

from sessions.settings.settings_group import SettingsGroup, why


class ApiServing(SettingsGroup):
    """Where the API and the worker's health page listen, and what clients call them."""

    public_url: str | None = Field(
        None,
        description="What clients call the API; may have a path, which a proxy takes away. Base of every link."
        " Unset: API host and port.",
        json_schema_extra=why(
            "Right for clients on the same machine. Behind a load balancer the API cannot know its own address."
        ),
    )
    cors_origins: tuple[str, ...] = Field(
        (),
        description="Origins, comma-separated (https://app.example.com), whose pages may read the API's answers;"
        " *: all.",
        json_schema_extra=why("Browsers ask before a page of another site reads; by default no site may."),
    )
    api_host: str = Field(
        "127.0.0.1",
        description="Address that the API listens on; `::`: every one, of IPv6 and IPv4.",
        json_schema_extra=why(
            "Nothing is open to the network unless you ask for it. The worker's health page uses the same address."
        ),
    )
    api_port: int = Field(
        8080,
        ge=0,
        le=65535,
        description="Port that the API listens on; 0: any free one.",
        json_schema_extra=why("Convention."),
    )
    api_metrics: bool = Field(
        True,
        description="Whether the API answers GET /metrics, to anybody who reaches it; else 404.",
        json_schema_extra=why(
            "They hold counts and no names. Switch them off where the API's port is open to the internet and no proxy"
            " keeps the path to yourself."
        ),
    )
    api_connections: int = Field(
        10000,
        ge=0,
        description="Connections that an API process holds at the same time; with more, the longest idle one is closed."
        " 0: as many as the system lets it.",
        json_schema_extra=why(
            "The API raises its limit of open files (nofile) to the hard one at its start, and never holds more than"
            " that less 200. An idle connection has 20 KB."
        ),
    )
    api_connections_per_address: int = Field(
        0,
        ge=0,
        description="The same, of one address (IPv6: of one /64). 0: no bound.",
        json_schema_extra=why(
            "Behind a proxy all connections have its address. Set it where clients connect directly."
        ),
    )
    worker_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the worker's health and metrics; 0: any free one.",
        json_schema_extra=why(
            "Several workers on one host just work; the log says which port each has. Set it to be scraped."
        ),
    )

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"\*|https?://[^/\s@?#]+", origin) for origin in value):
            raise ValueError("each must be * or an origin such as https://app.example.com, without a path")
        return value
