"""Sessions, with what is found by them, what they were told, and what is left of erased ones."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    TextClause,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.database.tables.metadata import TIME, metadata

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


def _tag_index(name: str, *columns: str) -> Index:
    """The same for sessions with a tag."""
    of_customer = "external_customer_id" in columns
    return Index(
        f"ix_session_tags_{name}",
        "organization_id",
        *columns,
        "tag",
        "shelf",
        _newest_first("session_id", page_order(of_agent="agent_id" in columns, of_something=of_customer)),
        postgresql_where=text("external_customer_id IS NOT NULL") if of_customer else None,
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
    Column("token_expires_at", TIME),
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
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    Column("start_at", TIME),
    Column("queued_at", TIME),
    Column("started_at", TIME),
    Column("running_since", TIME),
    Column("first_frame_at", TIME),
    Column("paused_at", TIME),
    Column("ending_at", TIME),
    Column("ended_at", TIME),
    Column("failed_at", TIME),
    Column("finished_at", TIME),
    Column("last_active_at", TIME),
    Column("archived_at", TIME),
    Column("outcome", Text),  # fixed on entering `ending`
    Column("end_reason", Text),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("recording_state", Text, nullable=False, server_default=text("'none'")),
    Column("recording_reason", Text),
    Column("ledger_ms", BigInteger, nullable=False, server_default=text("0")),  # to_ms of the last UsageEvent
    Column("credited_ms", BigInteger, nullable=False, server_default=text("0")),  # what the bill gives back
    Column("ledger_at", TIME),  # when that was written
    Column("finalize_attempted_at", TIME),
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
    Index(
        "ix_sessions_organization_finished",
        "organization_id",
        "finished_at",
        postgresql_where=text("kind = 'voice' AND started_at IS NOT NULL AND finished_at IS NOT NULL"),
    ),
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
    Column("external_customer_id", Text),
    _tag_index("newest"),
    _tag_index("agent_newest", "agent_id"),
    _tag_index("customer_newest", "external_customer_id"),
    _tag_index("agent_customer_newest", "agent_id", "external_customer_id"),
)

worker_tokens = Table(
    "worker_tokens",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("slot", Text, primary_key=True),  # 'customer', or 'refreshed' by the LiveKit server
    Column("sealed", LargeBinary, nullable=False),  # AES-GCM, see store/access/vault.py
    Column("expires_at", TIME, nullable=False),
    # of the room's end-to-end encryption, beside the customer's token; sealed, too
    Column("sealed_shared_key", LargeBinary),
)

session_pauses = Table(
    "session_pauses",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("paused_at", TIME, primary_key=True),
    Column("resumed_at", TIME),  # null: it is paused, or ended in this pause
)

erasures = Table(  # erased sessions whose objects may still be in the storage
    "erasures",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("erased_at", TIME, nullable=False),
    Column("next_at", TIME, nullable=False, index=True),  # when they are looked for again
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("cause", Text),  # of the last failure
)

leftovers = Table(  # sessions of whose objects some may not be needed any more, until a worker has looked
    "leftovers",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("due_at", TIME, nullable=False, index=True),  # when the look is asked for again
)
