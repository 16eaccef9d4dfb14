"""Each session's history, and an organization's log of events, numbered once they are committed."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from store.database.tables.metadata import TIME, metadata

session_events = Table(
    "session_events",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", Text, nullable=False),  # session.queued, session.running, session.retrying, recording.available, …
    Column("at", TIME, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("status_from", Text),  # both null: not a transition
    Column("status_to", Text),
    Column("code", Text),
    Column("fault", Text),
    Column("data", JSONB, nullable=False, server_default=text("'{}'")),
    Index("ix_session_events_joined", "session_id", "seq", postgresql_where=text("type = 'participant.joined'")),
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
    Column("at", TIME, nullable=False),
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
    Column("at", TIME, nullable=False),
    Column("recorded_at", TIME, nullable=False),  # when it got its position
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
