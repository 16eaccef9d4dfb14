"""Who records which session, and what that costs."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.database.tables.metadata import TIME, metadata

runs = Table(
    "runs",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("owner", Uuid, nullable=False),  # one incarnation of a worker process
    Column("host", Text, nullable=False),
    Column("alone", Boolean, nullable=False, server_default=text("false")),  # nothing else runs in its process
    Column("claimed_at", TIME, nullable=False),
    Column("beat_at", TIME, nullable=False),  # the last proven beat; the claim counts as the first
    Column("joined_at", TIME),
    Column("billed_at", TIME),  # billed through this instant; null while not joined
    Column("released_at", TIME),
    Column("lost", Boolean, nullable=False, server_default=text("false")),  # released because its process died
    Column("pardoned", Boolean, nullable=False, server_default=text("false")),  # others died together with it
    Column("sealed_at", TIME),  # spool uploaded; nothing of this run is still to come
    Column("billable_ms", BigInteger, nullable=False, server_default=text("0")),
    Column("frames", BigInteger, nullable=False, server_default=text("0")),
    Column("audio_ms", BigInteger, nullable=False, server_default=text("0")),
    Column("peak_dbfs", Float),
    Column("first_frame_at", TIME),
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
    Column("recorded_at", TIME, nullable=False),
    UniqueConstraint(
        "session_id", "from_ms", "code", name="uq_usage_events_session_id_from_ms", postgresql_nulls_not_distinct=True
    ),
    Index("ix_usage_events_tail", "organization_id", "recorded_at", "id"),
    Index("ix_usage_events_agent_tail", "organization_id", "agent_id", "recorded_at", "id"),
    Index("uq_usage_events_final", "session_id", unique=True, postgresql_where=text("kind = 'final'")),
)
