"""The one settings tree: frozen, read once by `parley`, passed down. docs/settings.md is generated from it."""

import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, field_validator, model_validator

from sessions.destinations.room_url import AllowedAddresses
from sessions.destinations.webhook_url import UrlRules
from sessions.webhooks.retry_schedule import RETRY_SECONDS

SpeechEngineName = Literal["moonshine", "openai", "faster-whisper", "none"]
StorageLinks = Literal["storage", "api"]
LogLevel = Literal["debug", "info", "warning", "error"]


def _why(reason: str) -> dict[str, JsonValue]:
    """Why a setting has its default; the last column of docs/settings.md."""
    return {"why": reason}


class Settings(BaseModel):
    """Every setting with its unit, default and reason. The environment spells them `PARLEY_<NAME>`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)

    data_dir: Path = Field(
        Path(".parley"),
        description="Folder of the embedded database, spool and local objects.",
        json_schema_extra=_why("Convention: everything that is tried out stays in the folder where it was tried."),
    )
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL ≥ 17 (postgresql://…). Unset: embedded.",
        json_schema_extra=_why("`make demo` and `make dev` need no database of yours; a fleet sets it."),
    )
    database_direct_url: SecretStr | None = Field(
        None,
        description="libpq URL of the database past a pooler (PgBouncer in transaction mode). Unset: there is none.",
        json_schema_extra=_why(
            "LISTEN does not work through such a pooler; without this everything is polled, a second"
            " later. `parley migrate` takes it, too. One connection per API and recorder process."
        ),
    )
    database_timeout_seconds: float = Field(
        3,
        gt=0,
        description="Seconds that a request waits for the database, in all that it asks together.",
        json_schema_extra=_why(
            "Convention: a client hears of an outage while it still waits. The bound holds whatever the database does."
            " The database itself stops a statement after 10 s, and 1 s after nobody waits for it any more."
        ),
    )
    idempotency_lease_seconds: float = Field(
        5,
        ge=3,
        description="Seconds after which the Idempotency-Key of a request whose process has died is free again.",
        json_schema_extra=_why(
            "A process renews its keys every second, so that four renewals may fail. A repetition of a request that"
            " died with its process waits no longer than this and 2 s more."
        ),
    )
    storage_url: str | None = Field(
        None,
        description="file:///…, s3://bucket/prefix, gs://…, az://…. Unset: data_dir/objects.",
        json_schema_extra=_why("One host needs nothing else. Several hosts need a storage that all of them reach."),
    )
    storage_public_url: str | None = Field(
        None,
        description="Endpoint under which clients reach an S3 storage (http…, without the bucket); links name it."
        " Unset: the endpoint that Parley itself uses.",
        json_schema_extra=_why(
            "Right where both reach the storage by one name. A link's signature covers the host, so that nobody can"
            " exchange it afterwards."
        ),
    )
    storage_links: StorageLinks = Field(
        "storage",
        description="Who serves recordings: storage, by links that it signs, or api, which reads them there and passes"
        " them on. Local storages are always served by the API.",
        json_schema_extra=_why(
            "A storage serves large files better than an API does. `api` is for storages that clients don't reach, and"
            " for those that can't sign."
        ),
    )
    public_url: str | None = Field(
        None,
        description="What clients call the API; may have a path, which a proxy takes away. Base of every link."
        " Unset: API host and port.",
        json_schema_extra=_why(
            "Right for clients on the same machine. Behind a load balancer the API cannot know its own address."
        ),
    )
    cors_origins: tuple[str, ...] = Field(
        (),
        description="Origins, comma-separated (https://app.example.com), whose pages may read the API's answers;"
        " *: all.",
        json_schema_extra=_why("Browsers ask before a page of another site reads; by default no site may."),
    )
    api_host: str = Field(
        "127.0.0.1",
        description="Address that the API listens on; `::`: every one, of IPv6 and IPv4.",
        json_schema_extra=_why(
            "Nothing is open to the network unless you ask for it. The worker's health page uses the same address."
        ),
    )
    api_port: int = Field(
        8080,
        ge=0,
        le=65535,
        description="Port that the API listens on; 0: any free one.",
        json_schema_extra=_why("Convention."),
    )
    api_metrics: bool = Field(
        True,
        description="Whether the API answers GET /metrics, to anybody who reaches it; else 404.",
        json_schema_extra=_why(
            "They hold counts and no names. Switch them off where the API's port is open to the internet and no proxy"
            " keeps the path to yourself."
        ),
    )
    api_connections: int = Field(
        10000,
        ge=0,
        description="Connections that an API process holds at the same time; with more, the longest idle one is closed."
        " 0: as many as the system lets it.",
        json_schema_extra=_why(
            "The API raises its limit of open files (nofile) to the hard one at its start, and never holds more than"
            " that less 200. An idle connection has 20 KB."
        ),
    )
    api_connections_per_address: int = Field(
        0,
        ge=0,
        description="The same, of one address (IPv6: of one /64). 0: no bound.",
        json_schema_extra=_why(
            "Behind a proxy all connections have its address. Set it where clients connect directly."
        ),
    )
    worker_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the worker's health and metrics; 0: any free one.",
        json_schema_extra=_why(
            "Several workers on one host just work; the log says which port each has. Set it to be scraped."
        ),
    )
    secret_key: tuple[SecretStr, ...] = Field(
        (),
        description="1..n texts of ≥ 32 characters, comma-separated, newest first: encrypts tokens, signs links.",
        json_schema_extra=_why(
            "The embedded database gets a key of its own at the first start (`secret.key` in the"
            " data folder, mode 0600). With a database_url there is none, because every process"
            " must have the same."
        ),
    )
    master_key: SecretStr | None = Field(
        None,
        description="A master API key accepted from the first start.",
        json_schema_extra=_why(
            "A default would be a hole. Without it the first start of the API makes a key and prints it once."
        ),
    )
    operator_key: SecretStr | None = Field(
        None,
        description="≥ 32 characters: the key with which GET /v1/operator/overview shows the installation in numbers.",
        json_schema_extra=_why("A default would be a hole. Without it there is no such page."),
    )
    heartbeat_seconds: float = Field(
        4,
        gt=0,
        description="Seconds between a worker process's beats.",
        json_schema_extra=_why(
            "At most a third of stalled_seconds. It bounds how old usage is, how late a command comes when"
            " NOTIFY is lost, how much time a crash leaves unbilled, and, with 3 s more, how much a host that is lost"
            " with its disk takes along of each session (see segment_seconds); it costs one statement per process."
        ),
    )
    stalled_seconds: float = Field(
        15,
        gt=0,
        description="Seconds without a beat after which a run counts as lost.",
        json_schema_extra=_why(
            "Three beats, the least that the start accepts. A worker goes quiet at 0.8 of it,"
            " after two beats without an answer."
        ),
    )
    sessions_per_process: int = Field(
        25,
        ge=1,
        description="Sessions that one recorder process takes.",
        json_schema_extra=_why(
            "It bounds what one crash of LiveKit's native library touches. The load would allow"
            " more: one process recorded 100 sessions in real time with 1.4 cores (measured with"
            " livekit 1.2.1, frames of 200 ms)."
        ),
    )
    processes: int | None = Field(
        None,
        ge=1,
        description="Recorder processes per worker. Unset: one per core, as many as the container's limits of CPU and"
        " memory leave room for.",
        json_schema_extra=_why(
            "Python code of one process uses one core. A full one has 40 MB and 5 MB per session, the worker's other"
            " processes 450 MB (measured)."
        ),
    )
    quarantines: int = Field(
        4,
        ge=1,
        description="Recorder processes per worker that are started for sessions that processes have died with.",
        json_schema_extra=_why(
            "Besides the others, and only while they are needed. With more suspects than places, those share a process"
            " that have not taken one down so. A process has 21 MB of its own (measured, without sessions) and up to"
            " five connections to PostgreSQL."
        ),
    )
    recorder_sessions: int = Field(
        500,
        ge=0,
        description="Sessions after which a recorder process retires: it takes no more, and another one is started"
        " beside it; 0: never.",
        json_schema_extra=_why(
            "LiveKit's native library keeps 0.49 MB of each room that a process has left (measured with livekit 1.2.1):"
            " about 250 MB by then. To start another one costs a fifth of a second of a core."
        ),
    )
    recorder_memory_mb: int | None = Field(
        None,
        ge=256,
        description="Resident memory (MiB) past which a recorder process retires, and gives away what makes it grow and"
        " what is on its way into a room. Unset: three times what a full one has (130 MiB, and 5 per session), at most"
        " 1536.",
        json_schema_extra=_why("A process that grows so is ill, or attacked; nothing that it does needs that much."),
    )
    recorder_memory_limit_mb: int | None = Field(
        None,
        ge=256,
        description="Resident memory (MiB) past which a recorder process is replaced: it hands its sessions over."
        " With a quarter more, or when it does not, it is killed. Unset: twice recorder_memory_mb.",
        json_schema_extra=_why(
            "Before the kernel kills what it likes. Others take its sessions while it still records; the one that makes"
            " processes grow is found like any other that makes them die."
        ),
    )
    idle_process_seconds: float = Field(
        60,
        gt=0,
        description="Seconds without anything to do after which a worker's processes for jobs, speech and webhooks"
        " end. They are started again within a second when there is something.",
        json_schema_extra=_why(
            "An idle one holds 13 to 21 MB, and a speech engine 160 more. To start one costs a few tenths of a second:"
            " who is busy once a minute keeps it."
        ),
    )
    retire_seconds: float = Field(
        900,
        ge=0,
        description="Seconds after which a recorder process that retires hands its last sessions over.",
        json_schema_extra=_why(
            "Convention: most conversations are over by then. A hand-over costs a few tenths of a second of speech, an"
            " old process its memory."
        ),
    )
    tracks_per_session: int = Field(
        100,
        ge=0,
        description="Audio tracks of a session that are recorded at the same time; further ones are left out and named"
        " (gap.track_limit). 0: no limit.",
        json_schema_extra=_why(
            "Convention: a participant may publish any number of tracks, and each costs a decoder and a jitter buffer."
        ),
    )
    participant_events: int = Field(
        1000,
        ge=0,
        description="Events participant.joined and participant.left of one session; the last one says so. 0: none.",
        json_schema_extra=_why(
            "Hundreds of people come and go; a room of 10,000 must not flood its organization's log, nor its receivers."
        ),
    )
    segment_seconds: float = Field(
        5,
        gt=0,
        description="Seconds after which a spool segment is sealed at the latest, to be uploaded.",
        json_schema_extra=_why(
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
        json_schema_extra=_why(
            "Convention: the ledger is about a minute behind. A session's own counter moves with every beat."
        ),
    )
    stream_buffer_seconds: float = Field(
        300,
        gt=0,
        description="Seconds of audio that senders of byte streams may be ahead of their playing, per session.",
        json_schema_extra=_why(
            "Convention: longer than one turn of an agent, and at most 29 MB of memory per session."
        ),
    )
    join_seconds: float = Field(
        30,
        gt=0,
        description="Seconds for a join, retries included.",
        json_schema_extra=_why(
            "A join takes 0.06 to 0.13 s (measured on loopback). The rest is for a server that"
            " answers late: the SDK makes four attempts of up to 5 s each, and we repeat them."
        ),
    )
    subscribe_seconds: float = Field(
        1,
        ge=0,
        description="Seconds that a session's start waits for the audio of those who are in the room already.",
        json_schema_extra=_why(
            "Subscribing takes 0.1 to 0.3 s (measured). What is said meanwhile would be missing from the first second;"
            " a track that nobody delivers must not hold up the start."
        ),
    )
    unproven_connection_seconds: float = Field(
        10,
        gt=0,
        description="Seconds in which nothing proves the connection to a room, after which it is joined anew.",
        json_schema_extra=_why(
            "Four times the 2.5 s after which even an empty room's connection shows a sign of life (measured)."
            " LiveKit's SDK notices a server that is gone after 13 s, and may try for ever to get back. Shorter"
            " outages have their gap as well, without a rejoin."
        ),
    )
    rejoin_seconds: float = Field(
        120,
        gt=0,
        description="Seconds that a lost room is retried.",
        json_schema_extra=_why(
            "LiveKit's SDK gives up 17 to 26 s after the server went away (measured). A restart of"
            " the server must not end the recording."
        ),
    )
    queue_seconds: float = Field(
        300,
        gt=0,
        description="Seconds in the queue before capacity.none.",
        json_schema_extra=_why(
            "Convention: a recording that begins later than five minutes is hardly wanted any more."
        ),
    )
    grace_seconds: float = Field(
        30,
        ge=0,
        description="Seconds that a stopping worker goes on recording for a successor.",
        json_schema_extra=_why(
            "Convention: a successor that runs already joins within seconds; the rest is for one that is being started."
        ),
    )
    takeover_window_seconds: float = Field(
        600,
        gt=0,
        description="Seconds without a proven beat before worker.lost.",
        json_schema_extra=_why(
            "Convention: time to replace a host, but no resumption of a conversation that has long been over."
        ),
    )
    salvage_seconds: float = Field(
        60,
        gt=0,
        description="Seconds that finalizing waits for a lost host's spool.",
        json_schema_extra=_why(
            "Convention: a host that restarts within a minute still brings what it had recorded. A"
            " longer wait delays every recording that lost a worker."
        ),
    )
    finalize_retry_seconds: float = Field(
        30,
        gt=0,
        description="Seconds before an unfinished finalize job is deferred again.",
        json_schema_extra=_why("Convention: repeating is harmless, because every build makes the same bytes."),
    )
    finalize_deadline_seconds: float = Field(
        86400,
        gt=0,
        description="Seconds before finalizing fails for good.",
        json_schema_extra=_why("Convention: the object storage may be away for a day before a recording is given up."),
    )
    max_duration_seconds: int = Field(
        14400,
        ge=1,
        description="The largest max_duration_seconds a session may ask for.",
        json_schema_extra=_why("Convention: four hours. A session that is forgotten costs no more than that."),
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        le=36500,
        description="Days after its end that a session's content is erased, as by DELETE; the same for every worker."
        " Unset: everything is kept.",
        json_schema_extra=_why("Nothing is deleted that nobody asked to delete."),
    )
    event_retention_days: int = Field(
        30,
        ge=1,
        le=36500,
        description="Days that an event stays in its organization's log.",
        json_schema_extra=_why(
            "Convention: time enough for whoever follows the log to come back. Events of erased sessions hold no"
            " content of theirs, however long they stay."
        ),
    )
    event_streams: int = Field(
        2000,
        ge=1,
        description="Streams of events that one API process has open at once.",
        json_schema_extra=_why(
            "Each is a connection and its memory. Whoever comes in vain is answered 429 and may try another process."
        ),
    )
    event_streams_per_key: int = Field(
        100,
        ge=1,
        description="Of these, with one API key.",
        json_schema_extra=_why(
            "Convention: enough for a backend of many processes, and not all places for one customer."
        ),
    )
    event_stream_stall_seconds: float = Field(
        10,
        gt=0,
        description="Seconds in which the reader of a stream or a long answer takes nothing before it is cut off.",
        json_schema_extra=_why(
            "What it does not take lies in our memory, up to 128 KiB and a page. A stream goes on from its cursor."
        ),
    )
    allow_private_hosts: bool = Field(
        False,
        description="Let rooms have private and loopback addresses (development).",
        json_schema_extra=_why(
            "Customers name the rooms' addresses, so a worker could be led into your network (docs/security.md)."
        ),
    )
    allow_room_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description="Networks, comma-separated (10.1.2.0/24), in which rooms may be although they are not public.",
        json_schema_extra=_why("A LiveKit server of your own network is reached without opening the rest of it."),
    )
    room_burst_kb: int = Field(
        512,
        ge=64,
        description="KiB that a room's server may send at once over a signaling connection, answers to joins included.",
        json_schema_extra=_why(
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
        json_schema_extra=_why("Many times what a busy room needs; media and texts do not go this way."),
    )
    webhook_allow_http: bool = Field(
        False,
        description="Let webhooks go to http:// URLs.",
        json_schema_extra=_why("Events say who talks to whom; in clear everybody on the way reads them."),
    )
    webhook_allow_private_hosts: bool = Field(
        False,
        description="Let webhooks go to private and loopback addresses (development, or receivers in your network).",
        json_schema_extra=_why("Customers name the URLs, so a worker could be led into your network."),
    )
    webhook_ports: tuple[int, ...] = Field(
        (443, 8443),
        description="Ports that webhooks may go to, comma-separated; 0: every port.",
        json_schema_extra=_why("What listens on other ports is rarely meant for strangers."),
    )
    webhook_timeout_seconds: float = Field(
        15,
        gt=0,
        le=60,
        description="Seconds for one attempt: resolving, connecting, sending, reading.",
        json_schema_extra=_why("Convention of Standard Webhooks: 15 to 30. A receiver answers first, and works then."),
    )
    webhook_retry_seconds: tuple[float, ...] = Field(
        RETRY_SECONDS,
        description="Seconds before the second attempt, the third, and so on, comma-separated; ± 10 %.",
        json_schema_extra=_why("The schedule of Standard Webhooks: ten attempts in a little over three days."),
    )
    webhook_failing_days: float = Field(
        5,
        gt=0,
        description="Days of nothing but failures after which a webhook endpoint is disabled.",
        json_schema_extra=_why("A long weekend, and two days to notice."),
    )
    livekit_server: Path | None = Field(
        None,
        description="livekit-server binary for tests, demo and dev.",
        json_schema_extra=_why("It is looked for on PATH, then in the cache folder, and else built there with Go."),
    )
    speech_engine: SpeechEngineName | None = Field(
        None,
        description="What recognizes speech: moonshine (embedded, English only), openai (any"
        " compatible endpoint), faster-whisper, none. Unset: openai with a speech_url, else moonshine.",
        json_schema_extra=_why(
            "The embedded engine needs no service and no download, and no audio leaves the installation."
        ),
    )
    speech_url: str | None = Field(
        None,
        description="Base URL of an OpenAI-compatible service (…/v1) that transcribes. Unset: none.",
        json_schema_extra=_why("Audio goes nowhere that you have not named."),
    )
    speech_key: SecretStr | None = Field(
        None,
        description="Bearer token for speech_url.",
        json_schema_extra=_why("A server of your own often needs none."),
    )
    speech_model: str | None = Field(
        None,
        description="Model of that engine. Unset: whisper-1, faster-whisper: small.",
        json_schema_extra=_why(
            "Convention: `whisper-1` is the name in OpenAI's own API, `small` the middle of faster-whisper's sizes."
        ),
    )
    speech_deadline_seconds: float = Field(
        86400,
        gt=0,
        description="Seconds after which a transcript does without speech, and segments are deleted.",
        json_schema_extra=_why(
            "Convention: a day, as for finalizing. Until the transcript is closed the segments are"
            " kept, so the audio is stored twice."
        ),
    )
    summary_url: str | None = Field(
        None,
        description="Base URL of an OpenAI-compatible chat service (…/v1). Unset: embedded extractive summaries.",
        json_schema_extra=_why("Transcripts go nowhere that you have not named."),
    )
    summary_key: SecretStr | None = Field(
        None,
        description="Bearer token for summary_url.",
        json_schema_extra=_why("A server of your own often needs none."),
    )
    summary_model: str | None = Field(
        None,
        description="Model that summarizes; needed with a summary_url.",
        json_schema_extra=_why("Services share no name that would do for all."),
    )
    limit_requests_per_second: int = Field(
        500,
        ge=0,
        description="Requests per second of one organization that an API process answers, ten seconds' worth at once;"
        " 0: no limit.",
        json_schema_extra=_why(
            "One process answers about as many on one core. Organizations may have limits of their own (`parley"
            " organizations limits`), of this kind and of the next six."
        ),
    )
    limit_key_requests_per_second: int = Field(
        250,
        ge=0,
        description="Requests per second of one API key that an API process answers, ten seconds' worth at once; 0: no"
        " limit.",
        json_schema_extra=_why("Half of the organization's: a client that runs wild leaves room for the others."),
    )
    limit_address_requests_per_second: int = Field(
        100,
        ge=0,
        description="Requests per second without a valid key from one address (IPv6: from one /64), ten seconds' worth"
        " at once; 0: no limit.",
        json_schema_extra=_why(
            "Signed links and wrong keys. Behind a proxy all clients have its address. What comes with a valid key,"
            " health and readiness don't count."
        ),
    )
    limit_creates_per_minute: int = Field(
        6000,
        ge=0,
        description="Sessions that one organization creates per minute at an API process; 0: no limit.",
        json_schema_extra=_why("Convention: more than any worker host can join."),
    )
    limit_messages_per_minute: int = Field(
        1200,
        ge=0,
        description="Messages that one session takes per minute at an API process; 0: no limit.",
        json_schema_extra=_why("Convention: twenty a second, more than anybody reads in a room."),
    )
    limit_concurrent_sessions: int = Field(
        10000,
        ge=0,
        description="Voice sessions of one organization that wait for their start_at, or are queued, starting, "
        "running or paused; 0: no limit.",
        json_schema_extra=_why(
            "Convention: several hosts full of recordings. It is counted by the transaction that creates a session, and"
            " exact whoever creates at the same time."
        ),
    )
    limit_queued_sessions: int = Field(
        10000,
        ge=0,
        description="Voice sessions of one organization that wait in the queue or for their start_at; 0: no limit.",
        json_schema_extra=_why("Convention. Others don't wait for them: claims are fair."),
    )
    limit_api_keys: int = Field(
        1000,
        ge=0,
        description="Valid API keys of one organization; 0: no limit.",
        json_schema_extra=_why(
            "Convention: one per agent of a large customer. Who runs the installation is not bound."
        ),
    )
    limit_answers_mb: int = Field(
        10_000,
        ge=0,
        description="Megabytes of answers of one organization that Idempotency-Keys keep for 24 hours; 0: no limit.",
        json_schema_extra=_why("Convention: five million sessions a day. A full disk would be everybody's."),
    )
    log_level: LogLevel = Field(
        "info",
        description="Least severe log line that is printed.",
        json_schema_extra=_why("Convention: one line per request, and the milestones of each session."),
    )

    @property
    def allowed_addresses(self) -> AllowedAddresses:
        """Where rooms may be."""
        return AllowedAddresses(self.allow_private_hosts, self.allow_room_networks)

    @field_validator("log_level", "speech_engine", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _for_libpq(cls, value: SecretStr | None) -> SecretStr | None:
        scheme, separator, _ = ("", "", "") if value is None else value.get_secret_value().partition("://")
        if separator and scheme not in ("postgresql", "postgres"):
            driver = ", without the driver's name that SQLAlchemy puts there" if "+" in scheme else ""
            raise ValueError(f"it must begin with postgresql://{driver}")
        return value

    @field_validator(
        "secret_key", "cors_origins", "allow_room_networks", "webhook_ports", "webhook_retry_seconds", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(part.get_secret_value()) < 32 for part in value):
            raise ValueError("each key needs at least 32 characters")
        return value

    @field_validator("operator_key")
    @classmethod
    def _not_guessed(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("it needs at least 32 characters")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"\*|https?://[^/\s@?#]+", origin) for origin in value):
            raise ValueError("each must be * or an origin such as https://app.example.com, without a path")
        return value

    @model_validator(mode="after")
    def _beats_fit(self) -> Self:
        if self.stalled_seconds < 3 * self.heartbeat_seconds:
            raise ValueError("stalled_seconds must be at least 3 × heartbeat_seconds")
        if self.database_url is not None and not self.secret_key:
            raise ValueError("secret_key is required with a database_url: every process must have the same one")
        soft, hard = self.recorder_memory_mb, self.recorder_memory_limit_mb
        if soft is not None and hard is not None and hard <= soft:
            raise ValueError("recorder_memory_limit_mb must be more than recorder_memory_mb")
        if self.speech_engine == "openai" and self.speech_url is None:
            raise ValueError("speech_engine openai needs a speech_url")
        if self.summary_url is not None and not self.summary_model:
            raise ValueError("summary_url needs a summary_model")
        return self

    @property
    def webhook_url_rules(self) -> UrlRules:
        """Which URLs webhooks may go to."""
        return UrlRules.of(
            allow_http=self.webhook_allow_http,
            allow_private_hosts=self.webhook_allow_private_hosts,
            ports=self.webhook_ports,
        )
