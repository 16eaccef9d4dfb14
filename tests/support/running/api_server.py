"""The control API in this process: real sockets, a real PostgreSQL, a local object storage."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jwt
from pydantic import SecretStr
from sqlalchemy import text

from control_api.http.requests.dependencies import ApiDependencies
from control_api.server import serve
from sessions.ids import parse_id
from sessions.settings import Settings
from store.access.api_keys import ApiKeys
from store.access.idempotency import Idempotency
from store.access.vault import LinkSigner, TokenVault
from store.database.database import Database
from store.database.notify.notifications import Listener
from store.installation.storage_check import StorageCheck
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.sessions.sessions import Sessions
from store.usage.ledger import Ledger
from store.usage.totals import UsageTotals
from tests.support.network.loopback import connection

MASTER_KEY = "parley_master_" + "k" * 43
SECRET = SecretStr("s" * 40)
ROOM_URL = "wss://rooms.example.com"


def worker_token(room: str, identity: str = "recorder", *, ttl: float = 7200, **grants: Any) -> str:
    """A token as a customer mints it; some are minted when a module is read, long before they are sent."""
    video = {"roomJoin": True, "room": room, **grants}
    expires_at = datetime.now(UTC) + timedelta(seconds=ttl)
    claims = {"iss": "key", "sub": identity, "exp": int(expires_at.timestamp()), "video": video}
    return jwt.encode(claims, "x" * 40, algorithm="HS256")


def create_body(room: str, *, transport: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A body that creates a session for `room`."""
    livekit = {"type": "livekit", "url": ROOM_URL, "room_name": room, "worker_token": worker_token(room)}
    return {"transport": {**livekit, **(transport or {})}, **fields}


@dataclass
class Reply:
    """One answer, read to its end."""

    status: int
    headers: Any
    body: bytes
    content: Any = field(default=None)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.content["error"]["code"])


@dataclass
class ApiServer:
    """One API process' worth of server."""

    base_url: str
    http: aiohttp.ClientSession
    dependencies: ApiDependencies
    stopping: asyncio.Event
    task: "asyncio.Task[None]"

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = MASTER_KEY, **more: Any
    ) -> Reply:
        """One request; redirects are not followed."""
        headers = dict(more.pop("headers", {}))
        if key is not None:
            headers.setdefault("Authorization", f"Bearer {key}")
        if body is not None:
            more["json"] = body
        async with self.http.request(
            method, self.base_url + path, headers=headers, allow_redirects=False, **more
        ) as answer:
            data = await answer.read()
            is_json = answer.content_type == "application/json" and data and method != "HEAD"
            return Reply(answer.status, answer.headers, data, await answer.json() if is_json else None)

    async def close_transcript(self, session_id: str, document: bytes) -> None:
        """Let `conversation.json` be this, as the job does that closes the transcript."""
        key = f"sessions/{session_id}/transcript/1/conversation.json"
        await self.dependencies.objects.put_bytes(key, document)
        async with self.dependencies.db.begin() as conn:
            await conn.execute(
                text(
                    "INSERT INTO transcripts (session_id, state, created_at, object_key)"
                    " VALUES (:id, 'available', now(), :key)"
                    " ON CONFLICT (session_id) DO UPDATE SET object_key = excluded.object_key"
                ),
                {"id": parse_id("sess", session_id), "key": key},
            )

    async def create(self, room: str, **fields: Any) -> dict[str, Any]:
        """A new session."""
        reply = await self.call("POST", "/v1/sessions", create_body(room, **fields))
        assert reply.status == 201, reply.content
        assert isinstance(reply.content, dict)
        return reply.content

    async def come(self, session_id: str, who: Sequence[str]) -> None:
        """These came into the session's room, one after the other; each is called by the identity in capitals."""
        async with self.dependencies.db.begin() as conn:
            for identity in who:
                facts = {"identity": identity, "name": identity.title(), "kind": "standard", "participant_sid": "PA_1"}
                await conn.execute(
                    text(
                        "INSERT INTO session_events (id, session_id, seq, type, at, epoch, data)"
                        " SELECT gen_random_uuid(), :id, max(seq) + 1, 'participant.joined', now(), 1, :data"
                        " FROM session_events WHERE session_id = :id"
                    ),
                    {"id": parse_id("sess", session_id), "data": json.dumps(facts)},
                )

    async def raw(self, data: bytes, *, seconds: float = 15, end: bool = False) -> bytes:
        """Bytes in, everything that comes back until the server closes the connection."""
        async with connection(self.base_url) as (reader, writer):
            writer.write(data)
            await writer.drain()
            if end:
                writer.write_eof()
            async with asyncio.timeout(seconds):
                return await reader.read()


@asynccontextmanager
async def api_server(
    database_url: str,
    folder: Path,
    *,
    serves: bool = True,
    storage_url: str | None = None,
    database_timeout_seconds: float = 15,  # test machines are busy
    secret_key: tuple[SecretStr, ...] = (SECRET,),
    **settings: Any,
) -> AsyncIterator[ApiServer]:
    """A server on a free port; `serves=False` leaves the master key out (the database may be away)."""
    ready: asyncio.Future[tuple[str, ApiDependencies]] = asyncio.get_running_loop().create_future()
    stopping = asyncio.Event()

    async def run() -> None:
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(
                Database.open(database_url, timeout_seconds=database_timeout_seconds, application_name="test api")
            )
            bulk_db = await stack.enter_async_context(
                Database.open(database_url, timeout_seconds=database_timeout_seconds, application_name="test bulk")
            )
            api_keys = ApiKeys(db)
            if serves:
                await api_keys.ensure_master(SecretStr(MASTER_KEY))
            objects = Objects.open(
                storage_url or f"file://{folder / 'objects'}", public_endpoint=settings.get("storage_public_url")
            )
            dependencies = ApiDependencies(
                settings=Settings(
                    data_dir=folder,
                    database_url=SecretStr(database_url),
                    secret_key=secret_key,
                    database_timeout_seconds=database_timeout_seconds,
                    **settings,
                ),
                db=db,
                bulk_db=bulk_db,
                sessions=Sessions.open(db, TokenVault(secret_key)),
                api_keys=api_keys,
                idempotency=Idempotency(db),
                ledger=Ledger(db),
                usage_totals=UsageTotals(db),
                objects=objects,
                storage=StorageCheck(StorageIdentity(db, objects), objects, links="storage"),
                signer=LinkSigner(secret_key),
                listener=await stack.enter_async_context(Listener.open(database_url)),
            )
            await serve(
                dependencies,
                stopping=stopping,
                host="127.0.0.1",
                port=0,
                on_ready=lambda url: ready.set_result((url, dependencies)),
            )

    task = asyncio.create_task(run())
    waited: list[asyncio.Future[Any]] = [task, ready]
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    base_url, dependencies = await ready
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=45)) as http:
        try:
            yield ApiServer(base_url, http, dependencies, stopping, task)
        finally:
            stopping.set()
            await task
