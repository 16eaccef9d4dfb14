"""What of a room is recorded, and how often it is stored and billed."""

from pydantic import Field

from sessions.settings.settings_group import SettingsGroup, why


class Recording(SettingsGroup):
    """What of a room is recorded, and how often it is stored and billed."""

    tracks_per_session: int = Field(
        100,
        ge=0,
        description="Audio tracks of a session that are recorded at the same time; further ones are left out and named"
        " (gap.track_limit). 0: no limit.",
        json_schema_extra=why(
            "Convention: a participant may publish any number of tracks, and each costs a decoder and a jitter buffer."
        ),
    )
    participant_events: int = Field(
        1000,
        ge=0,
        description="Events participant.joined and participant.left of one session; the last one says so. 0: none.",
        json_schema_extra=why(
            "Hundreds of people come and go; a room of 10,000 must not flood its organization's log, nor its receivers."
        ),
    )
    segment_seconds: float = Field(
        5,
        gt=0,
        description="Seconds after which a spool segment is sealed at the latest, to be uploaded.",
        json_schema_extra=why(
            "A host that is lost for good takes with it what it had not uploaded. A segment goes after a beat that was"
            " sent 2 s after its last sample, so it is sealed right before that instant once it is half as old as this:"
            " with beats every 4 s at most 8 s per session are lost. Shorter segments cost more requests (a PUT and a"
            " HEAD each), longer ones a longer tail."
        ),
    )
    usage_interval_seconds: float = Field(
        60,
        gt=0,
        description="Seconds between ledger rows of a running session.",
        json_schema_extra=why(
            "Convention: the ledger is about a minute behind. A session's own counter moves with every beat."
        ),
    )
    stream_buffer_seconds: float = Field(
        300,
        gt=0,
        description="Seconds of audio that senders of byte streams may be ahead of their playing, per session.",
        json_schema_extra=why("Convention: longer than one turn of an agent, and at most 29 MB of memory per session."),
    )
