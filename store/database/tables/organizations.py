"""Organizations, their API keys, and the answers that idempotency keys keep."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.database.tables.metadata import TIME, metadata

organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("default_agent_id", Text, nullable=False),
    Column(
        "limits", JSONB, nullable=False, server_default=text("'{}'")
    ),  # its own, by the names of sessions.organizations.limits
    Column("created_at", TIME, nullable=False, server_default=text("now()")),
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
    Column("created_at", TIME, nullable=False, server_default=text("now()")),
    Column("expires_at", TIME),
    Column("revoked_at", TIME),
    Column("last_used_at", TIME),
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

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("agent_id", Text, primary_key=True, server_default=text("''")),  # '': of no agent's key
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),  # SHA-256 of the body without its secrets
    Column("holder", Uuid, nullable=False),  # the request that runs it
    Column("created_at", TIME, nullable=False),
    Column("status", Integer),  # null: in flight
    Column("body", LargeBinary),
    Column("session_id", Uuid, index=True),
    Column("renewed_at", TIME, nullable=False, server_default=text("clock_timestamp()")),  # in flight: by its process
)

answer_bytes = Table(  # that idempotency keys keep
    "answer_bytes",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("hour", TIME, primary_key=True),
    Column("writer", SmallInteger, primary_key=True),  # of the server's connections
    Column("bytes", BigInteger, nullable=False),
)
