"""The tables, as SQLAlchemy Core. CHECK constraints, functions and triggers are in `store/migrations/versions` only."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_time = DateTime(timezone=True)
_OPTIONAL_FILTERS = {"task": "task_id", "project": "project_id", "customer": "external_customer_id"}


def page_order(*, of_agent: bool, of_something: bool) -> int:
    """A constant that ties a page's ORDER BY to one index, which has it behind the id.

    Else the planner may choose another index and read a million rows (the SQL of revision 9 says more).

    Args:
        of_agent: one agent's sessions.
        of_something: one task's, project's or external customer's.
    """
    return of_agent + 2 * of_something


def _newest_first(id_: str, order: int) -> TextClause:
    return text(f"(uuid_send({id_}) || '\\x{order:02x}'::bytea) DESC")


def _newest(name: str, *columns: str) -> Index:
    """The index from which a page of sessions with these values is read."""
    optional = [column for column in columns if column in _OPTIONAL_FILTERS.values()]
    order = page_order(of_agent="agent_id" in columns, of_something=bool(optional))
    return Index(
        f"ix_sessions_{name}_newest",
        "organization_id",
        *columns,
        "shelf",
        _newest_first("id", order),
        postgresql_where=text(f"{optional[0]} IS NOT NULL") if optional else None,
    )


organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("default_agent_id", Text, nullable=False),
    Column("limits", JSONB, nullable=False, server_default=text("'{}'")),  # its own, by the names of sessions.limits
    Column("created_at", _time, nullable=False, server_default=text("now()")),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("agent_id", Text),
    Column("name", Text),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("sha256", LargeBinary, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("last_four", Text, nullable=False),
    Column("created_at", _time, nullable=False, server_default=text("now()")),
    Column("expires_at", _time),
    Column("revoked_at", _time),
    Column("last_used_at", _time),
    Column("created_by", Uuid, ForeignKey("api_keys.id")),  # null: made by the operator
    Column("replaced_by", Uuid, ForeignKey("api_keys.id")),  # once it was rotated
    Index("ix_api_keys_created_by", "created_by", postgresql_where=text("created_by IS NOT NULL")),
    Index("ix_api_keys_newest", "organization_id", text("id DESC")),
    Index(
        "ix_api_keys_agent_newest",
        "organization_id",
        "agent_id",
        text("id DESC"),
        postgresql_where=text("agent_id IS NOT NULL"),
    ),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", BigInteger, nullable=False, server_default=text("1")),  # raised by every change of this row
    Column("epoch", Integer, nullable=False, server_default=text("0")),  # raised by the claim, nowhere else
    # where to join; null for text sessions
    Column("url", Text),
    Column("room_key", Text),  # host:port, lower case
    Column("room_name", Text),
    Column("worker_identity", Text),
    Column("audio_source", Text),
    Column("subscribe_to_identity", Text),
    Column("synthetic_audio_if_no_input", Boolean, nullable=False, server_default=text("false")),
    Column("e2ee", Boolean, nullable=False, server_default=text("false")),  # whether there is, or was, a shared key
    Column("token_expires_at", _time),
    # what was asked for
    Column("quality", Text, nullable=False),
    Column("multiplier", Numeric(6, 3), nullable=False),
    Column("max_duration_seconds", Integer, nullable=False),
    Column("idle_timeout_seconds", Integer, nullable=False),
    Column("layout", Text, nullable=False),
    Column("on_pause", Text, nullable=False),
    Column("formats", ARRAY(Text), nullable=False, server_default=text("'{}'")),  # to be made besides the WAV file
    Column("track_files", Boolean, nullable=False, server_default=text("false")),  # one per participant
    Column("transcription_mode", Text, nullable=False, server_default=text("'after'")),
    Column("transcription_language", Text),  # BCP 47; null: the engine decides
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("title", Text),
    Column("agent_id", Text, nullable=False),
    Column("task_id", Text),
    Column("project_id", Text),
    Column("model_id", Text),
    Column("capabilities", JSONB, nullable=False, server_default=text("'[]'")),
    Column("prompt", Text),
    Column("data", JSONB(none_as_null=True)),
    Column("external_customer_id", Text),
    # what became of it
    Column("preview", Text),
    Column("output_preview", Text),
    Column("message_count", Integer, nullable=False, server_default=text("0")),
    Column("created_at", _time, nullable=False),
    Column("updated_at", _time, nullable=False),
    Column("start_at", _time),
    Column("queued_at", _time),
    Column("started_at", _time),
    Column("running_since", _time),
    Column("first_frame_at", _time),
    Column("paused_at", _time),
    Column("ending_at", _time),
    Column("ended_at", _time),
    Column("failed_at", _time),
    Column("finished_at", _time),
    Column("last_active_at", _time),
    Column("archived_at", _time),
    Column("outcome", Text),  # fixed on entering `ending`
    Column("end_reason", Text),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("recording_state", Text, nullable=False, server_default=text("'none'")),
    Column("recording_reason", Text),
    Column("ledger_ms", BigInteger, nullable=False, server_default=text("0")),  # to_ms of the last UsageEvent
    Column("credited_ms", BigInteger, nullable=False, server_default=text("0")),  # what the bill gives back
    Column("ledger_at", _time),  # when that was written
    Column("finalize_attempted_at", _time),
    Column(  # what lists filter by
        "shelf",
        Text,
        Computed("CASE WHEN archived_at IS NULL THEN status ELSE status || '/archived'::text END", persisted=True),
        nullable=False,
    ),
    _newest("all"),
    _newest("agent", "agent_id"),
    *(_newest(name, column) for name, column in _OPTIONAL_FILTERS.items()),
    *(_newest(f"agent_{name}", "agent_id", column) for name, column in _OPTIONAL_FILTERS.items()),
    Index(
        "ix_sessions_claimable",
        "id",
        postgresql_where=text("kind = 'voice' AND status IN ('queued', 'starting', 'running', 'paused')"),
    ),
    Index("ix_sessions_queued", "id", postgresql_where=text("kind = 'voice' AND status = 'queued'")),
    Index(
        "ix_sessions_queued_fairly",
        "organization_id",
        "agent_id",
        "id",
        postgresql_where=text("kind = 'voice' AND status = 'queued'"),
    ),
    Index(
        "ix_sessions_load",
        "organization_id",
        "status",
        "agent_id",
        postgresql_where=text("kind = 'voice' AND status IN ('created', 'queued', 'starting', 'running', 'paused')"),
    ),
    Index("ix_sessions_finished", "finished_at", "id", postgresql_where=text("finished_at IS NOT NULL")),
    Index("ix_sessions_due", "start_at", postgresql_where=text("kind = 'voice' AND status = 'created'")),
    Index(
        "ix_sessions_longest",
        text("((started_at AT TIME ZONE 'UTC') + make_interval(secs => max_duration_seconds))"),
        postgresql_where=text("kind = 'voice' AND status IN ('running', 'paused')"),
    ),
    Index("ix_sessions_ending", "id", postgresql_where=text("status = 'ending'")),
    Index(
        "ix_sessions_live",
        "id",
        postgresql_where=text("transcription_mode = 'live' AND status IN ('running', 'paused')"),
    ),
    Index(
        "uq_sessions_room_identity",
        "organization_id",
        "room_key",
        "room_name",
        "worker_identity",
        unique=True,
        postgresql_where=text(
            "kind = 'voice' AND status IN ('created', 'queued', 'starting', 'running', 'paused', 'ending')"
        ),
    ),
)

session_tags = Table(  # kept by triggers on `sessions`
    "session_tags",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("shelf", Text, nullable=False),
    Index(
        "ix_session_tags_newest",
        "organization_id",
        "tag",
        "shelf",
        _newest_first("session_id", page_order(of_agent=False, of_something=False)),
    ),
    Index(
        "ix_session_tags_agent_newest",
        "organization_id",
        "agent_id",
        "tag",
        "shelf",
        _newest_first("session_id", page_order(of_agent=True, of_something=False)),
    ),
)

worker_tokens = Table(
    "worker_tokens",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("slot", Text, primary_key=True),  # 'customer', or 'refreshed' by the LiveKit server
    Column("sealed", LargeBinary, nullable=False),  # AES-GCM, see store/access/vault.py
    Column("expires_at", _time, nullable=False),
    # of the room's end-to-end encryption, beside the customer's token; sealed, too
    Column("sealed_shared_key", LargeBinary),
)

runs = Table(
    "runs",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("owner", Uuid, nullable=False),  # one incarnation of a worker process
    Column("host", Text, nullable=False),
    Column("alone", Boolean, nullable=False, server_default=text("false")),  # nothing else runs in its process
    Column("claimed_at", _time, nullable=False),
    Column("beat_at", _time, nullable=False),  # the last proven beat; the claim counts as the first
    Column("joined_at", _time),
    Column("billed_at", _time),  # billed through this instant; null while not joined
    Column("released_at", _time),
    Column("lost", Boolean, nullable=False, server_default=text("false")),  # released because its process died
    Column("pardoned", Boolean, nullable=False, server_default=text("false")),  # others died together with it
    Column("sealed_at", _time),  # spool uploaded; nothing of this run is still to come
    Column("billable_ms", BigInteger, nullable=False, server_default=text("0")),
    Column("frames", BigInteger, nullable=False, server_default=text("0")),
    Column("audio_ms", BigInteger, nullable=False, server_default=text("0")),
    Column("peak_dbfs", Float),
    Column("first_frame_at", _time),
    Column("segments", JSONB(none_as_null=True)),  # see store/runs/run_segments.py; null: an older release recorded it
    Index(
        "ix_runs_released",
        "released_at",
        postgresql_where=text("released_at IS NOT NULL AND sealed_at IS NULL"),
    ),
    Index("ix_runs_released_at", "released_at", postgresql_where=text("released_at IS NOT NULL")),
    Index("ix_runs_owner", "owner", postgresql_where=text("sealed_at IS NULL")),
    postgresql_with={"fillfactor": "50"},
)

session_events = Table(
    "session_events",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", Text, nullable=False),  # session.queued, session.running, session.retrying, recording.available, …
    Column("at", _time, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("status_from", Text),  # both null: not a transition
    Column("status_to", Text),
    Column("code", Text),
    Column("fault", Text),
    Column("data", JSONB, nullable=False, server_default=text("'{}'")),
)

event_inbox = Table(  # of events that wait for their position
    "event_inbox",
    metadata,
    Column("ord", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("organization_id", Uuid, nullable=False),
    Column("session_id", Uuid),  # no foreign key: the log outlives the session
    Column("agent_id", Text),
    Column("seq", Integer),
    Column("type", Text, nullable=False),
    Column("at", _time, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("session", JSONB(none_as_null=True)),  # as it was then
)

event_logs = Table(
    "event_logs",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("last_position", BigInteger, nullable=False),
    Column("expired_through", BigInteger, nullable=False, server_default=text("0")),  # what retention has removed
)

organization_events = Table(
    "events",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 … without a hole
    Column("id", Uuid, nullable=False),
    Column("session_id", Uuid),
    Column("agent_id", Text),
    Column("seq", Integer),
    Column("type", Text, nullable=False),
    Column("at", _time, nullable=False),
    Column("recorded_at", _time, nullable=False),  # when it got its position
    Column("facts", JSONB, nullable=False),
    Column("session", JSONB(none_as_null=True)),
    Index(
        "ix_events_agent",
        "organization_id",
        "agent_id",
        text("(position + 0)"),
        postgresql_where=text("agent_id IS NOT NULL"),
    ),
    Index("ix_events_session", "session_id", text("(position + 1)"), postgresql_where=text("session_id IS NOT NULL")),
)

session_pauses = Table(
    "session_pauses",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("paused_at", _time, primary_key=True),
    Column("resumed_at", _time),  # null: it is paused, or ended in this pause
)

log_entries = Table(  # messages and transcript segments, in one order
    "log_entries",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),  # message or segment
    Column("role", Text, nullable=False),
    Column("speaker", Text),  # a name to show
    Column("identity", Text),  # of the participant
    Column("text", Text, nullable=False),  # empty with a reason
    Column("reason", Text),  # why what was spoken has no text: not_understood
    Column("content", JSONB(none_as_null=True)),  # content blocks; null: `text` is all
    Column("start_ms", BigInteger),  # from `started_at`
    Column("end_ms", BigInteger),
    Column("at_ms", BigInteger, nullable=False),  # where it lies in the order of time; a trigger writes it
    Column("final", Boolean, nullable=False, server_default=text("true")),
    Column("confidence", Float),
    Column("words", JSONB(none_as_null=True)),
    Column("source", Text, nullable=False),  # api, lk.chat, lk.transcription, speech
    Column("external_id", Text),  # of the stream or segment; logged once
    Column("created_at", _time, nullable=False),
    Column("delivered_at", _time),  # when it was in the room; null: it waits for a worker
    UniqueConstraint("session_id", "source", "external_id", name="uq_log_entries_external"),
    Index("ix_log_entries_messages", "session_id", "seq", postgresql_where=text("kind = 'message'")),
    Index("ix_log_entries_segments", "session_id", "seq", postgresql_where=text("kind = 'segment'")),
    Index(
        "ix_log_entries_undelivered",
        "session_id",
        "seq",
        postgresql_where=text("source = 'api' AND delivered_at IS NULL"),
    ),
    Index("ix_log_entries_time", "session_id", "at_ms", "seq", postgresql_where=text("final")),
    Index(
        "ix_log_entries_published",
        "session_id",
        "identity",
        postgresql_where=text("source = 'lk.transcription' AND final"),
    ),
)

transcripts = Table(  # of sessions that ran and are over
    "transcripts",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("state", Text, nullable=False),  # pending, available, or incomplete: without speech
    Column("created_at", _time, nullable=False),
    Column("attempted_at", _time),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("finished_at", _time),
    Column("engine", Text),  # what recognized speech; null: nothing did
    Column("model", Text),
    Column("language", Text),
    Column("code", Text),  # why it is incomplete, or why the last attempt failed
    Column("message", Text),
    Column("object_key", Text),  # of conversation.json
    Index("ix_transcripts_pending", "session_id", postgresql_where=text("state = 'pending'")),
)

summaries = Table(
    "summaries",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("run_id", Uuid, nullable=False),  # of the last run
    Column("state", Text, nullable=False),  # of that run: generating, available, failed
    Column("requested_at", _time, nullable=False),
    Column("attempted_at", _time),
    Column("finished_at", _time),
    Column("transcript_sha256", Text),  # what that run read
    Column("code", Text),  # why it failed
    Column("message", Text),
    Column("stored_sha256", Text),  # what summary.json was made from; null: there is none
    Column("object_key", Text),
    Index("ix_summaries_generating", "session_id", postgresql_where=text("state = 'generating'")),
)

transcript_versions = Table(  # made anew; version 1 is the log's
    "transcript_versions",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("run_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),  # generating, available, failed
    Column("asked_engine", Text),  # null: the installation's
    Column("asked_language", Text),
    Column("requested_at", _time, nullable=False),
    Column("attempted_at", _time),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("finished_at", _time),
    Column("engine", Text),
    Column("model", Text),
    Column("language", Text),
    Column("audio", Text),  # what was heard: tracks or mix
    Column("code", Text),  # why it failed
    Column("message", Text),
    Column("segments", JSONB(none_as_null=True)),  # of speech, in the order of time
    Index("ix_transcript_versions_generating", "session_id", postgresql_where=text("state = 'generating'")),
)

live_transcripts = Table(  # of sessions whose speech is recognized while they run
    "live_transcripts",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("owner", Uuid, nullable=False),  # the speech process that follows it
    Column("held_until", _time, nullable=False),
    Column("heard_ms", BigInteger, nullable=False, server_default=text("0")),  # what began before is done
    Column("language", Text),  # of the last utterance
    Column("model", Text),  # of the engine
)

recordings = Table(
    "recordings",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("plan", JSONB, nullable=False),  # frozen once; every builder makes the same bytes from it
    Column("frozen_at", _time, nullable=False),
    Column("committed_at", _time),
    Column("object_key", Text),
    Column("sha256", Text),
    Column("size_bytes", BigInteger),
    Column("duration_ms", BigInteger),
    Column("sample_rate", Integer),
    Column("channels", Integer),
    Column("peak_dbfs", Float),
    Column("tracks", JSONB),
    Column("gaps", JSONB),
    Column("absences", JSONB),  # null where an older release built it
)

recording_files = Table(  # made from stored recordings, or to be made
    "recording_files",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("identity", Text, primary_key=True),  # of the participant; empty: everybody's mix
    Column("format", Text, primary_key=True),
    Column("state", Text, nullable=False),  # pending, available, or failed
    Column("requested_at", _time, nullable=False),
    Column("attempted_at", _time),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("object_key", Text),
    Column("sha256", Text),
    Column("size_bytes", BigInteger),
    Index("ix_recording_files_pending", "session_id", postgresql_where=text("state = 'pending'")),
)

usage_events = Table(
    "usage_events",
    metadata,
    Column("id", Uuid, primary_key=True),  # derived from (session_id, from_ms, code)
    Column("session_id", Uuid, nullable=False),  # no foreign key: the bill outlives the session
    Column("organization_id", Uuid, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # accrual, final or credit
    Column("code", Text),  # why a credit is given
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("quality", Text, nullable=False),
    Column("multiplier", Numeric(6, 3), nullable=False),
    Column("credits", Numeric(20, 3), nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("external_customer_id", Text),
    Column("recorded_at", _time, nullable=False),
    UniqueConstraint(
        "session_id", "from_ms", "code", name="uq_usage_events_session_id_from_ms", postgresql_nulls_not_distinct=True
    ),
    Index("ix_usage_events_tail", "organization_id", "recorded_at", "id"),
    Index("ix_usage_events_agent_tail", "organization_id", "agent_id", "recorded_at", "id"),
    Index("uq_usage_events_final", "session_id", unique=True, postgresql_where=text("kind = 'final'")),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("agent_id", Text, primary_key=True, server_default=text("''")),  # '': of no agent's key
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),  # SHA-256 of the body without its secrets
    Column("holder", Uuid, nullable=False),  # the request that runs it
    Column("created_at", _time, nullable=False),
    Column("status", Integer),  # null: in flight
    Column("body", LargeBinary),
    Column("session_id", Uuid, index=True),
    Column("renewed_at", _time, nullable=False, server_default=text("clock_timestamp()")),  # in flight: by its process
)

answer_bytes = Table(  # that idempotency keys keep
    "answer_bytes",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("hour", _time, primary_key=True),
    Column("writer", SmallInteger, primary_key=True),  # of the server's connections
    Column("bytes", BigInteger, nullable=False),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("agent_id", Text),  # null: events of every agent's sessions
    Column("url", Text, nullable=False),
    Column("event_types", ARRAY(Text), nullable=False),  # names and globs
    Column("description", Text),
    Column("reads_content", Boolean, nullable=False),
    Column("status", Text, nullable=False),  # enabled, disabled, or deleted: its deliveries are yet to go
    Column("disabled_reason", Text),
    Column("disabled_at", _time),
    Column("failing_since", _time),  # first failure since the last success
    Column("sealed_secret", LargeBinary, nullable=False),  # AES-GCM, see store/access/vault.py
    Column("sealed_old_secret", LargeBinary),
    Column("old_secret_until", _time),
    Column("cursor", Uuid, nullable=False),  # of the log of events: those up to it have their deliveries
    Column("position", BigInteger, nullable=False),  # the cursor's
    Column("replay_cursor", Uuid),  # the same for the replay that is under way; null: it begins with the oldest event
    Column("replay_types", ARRAY(Text)),
    Column("replaying_since", _time),
    Column("lease_owner", Uuid),  # the process that delivers to it
    Column("leased_until", _time),
    Column("created_at", _time, nullable=False),
    Column("updated_at", _time, nullable=False),
    Index("ix_webhook_endpoints_newest", "organization_id", text("id DESC")),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    # no foreign key: an endpoint is deleted at once, its deliveries little by little
    Column("endpoint_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("position", BigInteger),  # in the log; null: a test, which is in none
    Column("event_type", Text, nullable=False),
    Column("session_id", Uuid),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),  # since it was asked for last
    Column("attempts_made", Integer, nullable=False, server_default=text("0")),  # in all
    Column("created_at", _time, nullable=False),
    Column("queued_at", _time, nullable=False),  # when it was asked for last
    Column("next_attempt_at", _time),
    Column("finished_at", _time),
    UniqueConstraint("endpoint_id", "event_id", name="uq_webhook_deliveries_event"),
    Index("ix_webhook_deliveries_due", "endpoint_id", "next_attempt_at", postgresql_where=text("state = 'pending'")),
    Index("ix_webhook_deliveries_newest", "endpoint_id", text("id DESC")),
    Index("ix_webhook_deliveries_state_newest", "endpoint_id", "state", text("id DESC")),
    Index("ix_webhook_deliveries_session", "session_id", postgresql_where=text("session_id IS NOT NULL")),
    Index("ix_webhook_deliveries_finished", "finished_at", postgresql_where=text("state <> 'pending'")),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", _time, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("answer", Text),
)

object_storage = Table(  # this installation's; one row, or none yet
    "object_storage",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("id", Uuid, nullable=False),  # of the object `identity/{id}` that lies in it
    Column("adopted_at", _time, nullable=False),
)

erasures = Table(  # erased sessions whose objects may still be in the storage
    "erasures",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("erased_at", _time, nullable=False),
    Column("next_at", _time, nullable=False, index=True),  # when they are looked for again
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("cause", Text),  # of the last failure
)

sweeps = Table(  # whose turn it is to sweep
    "sweeps",
    metadata,
    Column("concern", Text, primary_key=True),
    Column("swept_at", _time, nullable=False),
)
