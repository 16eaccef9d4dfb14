"""How much one organization, key or address may ask for."""

from pydantic import Field

from sessions.settings.settings_group import SettingsGroup, why


class RequestLimits(SettingsGroup):
    """How much one organization, key or address may ask for."""

    limit_requests_per_second: int = Field(
        500,
        ge=0,
        description="Requests per second of one organization that an API process answers, ten seconds' worth at once;"
        " 0: no limit.",
        json_schema_extra=why(
            "One process answers about as many on one core. Organizations may have limits of their own (`parley"
            " organizations limits`), of this kind and of the next six."
        ),
    )
    limit_key_requests_per_second: int = Field(
        250,
        ge=0,
        description="Requests per second of one API key that an API process answers, ten seconds' worth at once; 0: no"
        " limit.",
        json_schema_extra=why("Half of the organization's: a client that runs wild leaves room for the others."),
    )
    limit_address_requests_per_second: int = Field(
        100,
        ge=0,
        description="Requests per second without a valid key from one address (IPv6: from one /64), ten seconds' worth"
        " at once; 0: no limit.",
        json_schema_extra=why(
            "Signed links and wrong keys. Behind a proxy all clients have its address. What comes with a valid key,"
            " health and readiness don't count."
        ),
    )
    limit_creates_per_minute: int = Field(
        6000,
        ge=0,
        description="Sessions that one organization creates per minute at an API process; 0: no limit.",
        json_schema_extra=why("Convention: more than any worker host can join."),
    )
    limit_messages_per_minute: int = Field(
        1200,
        ge=0,
        description="Messages that one session takes per minute at an API process; 0: no limit.",
        json_schema_extra=why("Convention: twenty a second, more than anybody reads in a room."),
    )
    limit_concurrent_sessions: int = Field(
        10000,
        ge=0,
        description="Voice sessions of one organization that wait for their start_at, or are queued, starting, "
        "running or paused; 0: no limit.",
        json_schema_extra=why(
            "Convention: several hosts full of recordings. It is counted by the transaction that creates a session, and"
            " exact whoever creates at the same time."
        ),
    )
    limit_queued_sessions: int = Field(
        10000,
        ge=0,
        description="Voice sessions of one organization that wait in the queue or for their start_at; 0: no limit.",
        json_schema_extra=why("Convention. Others don't wait for them: claims are fair."),
    )
    limit_api_keys: int = Field(
        1000,
        ge=0,
        description="Valid API keys of one organization; 0: no limit.",
        json_schema_extra=why("Convention: one per agent of a large customer. Who runs the installation is not bound."),
    )
    limit_answers_mb: int = Field(
        10_000,
        ge=0,
        description="Megabytes of answers of one organization that Idempotency-Keys keep for 24 hours; 0: no limit.",
        json_schema_extra=why("Convention: five million sessions a day. A full disk would be everybody's."),
    )
