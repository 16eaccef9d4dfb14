"""Webhook endpoints, and what is delivered to them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from store.database.tables.metadata import TIME, metadata

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
    Column("disabled_at", TIME),
    Column("failing_since", TIME),  # first failure since the last success
    Column("sealed_secret", LargeBinary, nullable=False),  # AES-GCM, see store/access/vault.py
    Column("sealed_old_secret", LargeBinary),
    Column("old_secret_until", TIME),
    Column("cursor", Uuid, nullable=False),  # of the log of events: those up to it have their deliveries
    Column("position", BigInteger, nullable=False),  # the cursor's
    Column("replay_cursor", Uuid),  # the same for the replay that is under way; null: it begins with the oldest event
    Column("replay_types", ARRAY(Text)),
    Column("replaying_since", TIME),
    # the key that made it, or set its URL or its secret last; null: the operator, or an earlier version
    Column("directed_by", Uuid, ForeignKey("api_keys.id")),
    Column("lease_owner", Uuid),  # the process that delivers to it
    Column("leased_until", TIME),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
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
    Column("created_at", TIME, nullable=False),
    Column("queued_at", TIME, nullable=False),  # when it was asked for last
    Column("next_attempt_at", TIME),
    Column("finished_at", TIME),
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
    Column("at", TIME, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("answer", Text),
)
