"""The store's services on a test's own database, and new sessions to put into it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from pydantic import SecretStr
from sqlalchemy import text

from sessions.ids import new_uuid
from sessions.session import LiveKitTransport, Session
from store.access.api_keys import ApiKeys
from store.access.idempotency import Idempotency
from store.access.vault import TokenVault
from store.database.database import Database
from store.sessions.new_session import NewSession
from store.sessions.sessions import Sessions

SECRET_KEY = SecretStr("a secret key of more than 32 characters")
TOKEN = SecretStr("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ3b3JrZXIifQ.dGhlIHNpZ25hdHVyZQ")


@dataclass(frozen=True, slots=True)
class StoreServices:
    """What one API process has, and an organization."""

    db: Database
    sessions: Sessions
    idempotency: Idempotency
    api_keys: ApiKeys
    vault: TokenVault
    organization_id: UUID

    async def execute(self, statement: str, **parameters: Any) -> list[Any]:
        """Run SQL beside the services, as a worker or the past would."""
        async with self.db.begin() as conn:
            result = await conn.execute(text(statement), parameters)
            return list(result.all()) if result.returns_rows else []


@asynccontextmanager
async def store_services(url: str, *, timeout_seconds: float = 10) -> AsyncIterator[StoreServices]:
    """Services with connections of their own: two of them stand for two processes."""
    async with Database.open(url, timeout_seconds=timeout_seconds, application_name="store test") as db:
        vault, api_keys = TokenVault([SECRET_KEY]), ApiKeys(db)
        await api_keys.ensure_master(SecretStr("parley_master_for_the_tests_of_the_store"), "default")
        async with db.begin() as conn:
            organization_id = (
                await conn.execute(text("SELECT id FROM organizations WHERE name = 'default'"))
            ).scalar_one()
        yield StoreServices(db, Sessions.open(db, vault), Idempotency(db), api_keys, vault, organization_id)


def new_session(**changes: Any) -> NewSession:
    """A session in a room of its own, unless told otherwise."""
    session_id = changes.pop("id", None) or new_uuid()
    values: dict[str, Any] = {
        "id": session_id,
        "transport": livekit_transport(changes.pop("room_name", f"room-{session_id}"), changes.pop("url", None)),
        "token": TOKEN,
        "token_expires_at": datetime.now(UTC) + timedelta(hours=1),
        "quality": "standard",
        "multiplier": Decimal(1),
        "max_duration_seconds": 3600,
    }
    return NewSession(**{**values, **changes})


def livekit_transport(room_name: str, url: str | None = None) -> LiveKitTransport:
    """Where a worker named `worker` would join."""
    return LiveKitTransport(url or "wss://rooms.example.com", room_name, "worker", "track", None, False)


def rendered(session: Session) -> tuple[int, bytes]:
    """An answer that tells sessions apart."""
    return 201, f'{{"id":"{session.id}"}}'.encode()


def dump_of_everything(url: str) -> str:
    """Every value of every table of the database as text; bytes as hexadecimal and, where they are text, as that."""
    lines: list[str] = []
    with psycopg.connect(url) as conn:
        tables = conn.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(tables) > 10
        for schema, table in tables:
            for row in conn.execute(f'SELECT * FROM "{schema}"."{table}"'):
                for value in row:
                    if isinstance(value, bytes):
                        lines.append(value.hex())
                        lines.append(value.decode("utf-8", "replace"))
                    else:
                        lines.append(repr(value))
    return "\n".join(lines)
