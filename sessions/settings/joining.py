"""How long a worker tries to get into a room, at first and after it was lost."""

from pydantic import Field

from sessions.settings.settings_group import SettingsGroup, why


class Joining(SettingsGroup):
    """How long a worker tries to get into a room, at first and after it was lost."""

    join_seconds: float = Field(
        30,
        gt=0,
        description="Seconds for a join, retries included.",
        json_schema_extra=why(
            "A join takes 0.06 to 0.13 s (measured on loopback). The rest is for a server that"
            " answers late: the SDK makes four attempts of up to 5 s each, and we repeat them."
        ),
    )
    subscribe_seconds: float = Field(
        1,
        ge=0,
        description="Seconds that a session's start waits for the audio of those who are in the room already.",
        json_schema_extra=why(
            "Subscribing takes 0.1 to 0.3 s (measured). What is said meanwhile would be missing from the first second;"
            " a track that nobody delivers must not hold up the start."
        ),
    )
    unproven_connection_seconds: float = Field(
        10,
        gt=0,
        description="Seconds in which nothing proves the connection to a room, after which it is joined anew.",
        json_schema_extra=why(
            "Four times the 2.5 s after which even an empty room's connection shows a sign of life (measured)."
            " LiveKit's SDK notices a server that is gone after 13 s, and may try for ever to get back. Shorter"
            " outages have their gap as well, without a rejoin."
        ),
    )
    rejoin_seconds: float = Field(
        120,
        gt=0,
        description="Seconds that a lost room is retried.",
        json_schema_extra=why(
            "LiveKit's SDK gives up 17 to 26 s after the server went away (measured). A restart of"
            " the server must not end the recording."
        ),
    )
