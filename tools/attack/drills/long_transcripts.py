"""Readers of a transcript of 120 MB, again and again: the API stays small, and others get their answers."""

import asyncio

import aiohttp
import psycopg

from sessions.ids import parse_id
from tests.support.running.stack import Stack
from tools.attack.api_scene import UNLIMITED, attacked
from tools.attack.readers import rows_beside_readers
from tools.attack.row import Effort, Row

_MESSAGES, _BYTES = 2000, 60_000
_WORD_BYTES = 32
_WRITE = """
    INSERT INTO log_entries (session_id, seq, id, kind, role, text, speaker, source, created_at)
    SELECT %(id)s, number, gen_random_uuid(), 'message', 'user', words.text, 'user', 'api', now()
    FROM generate_series(1, %(messages)s) AS number
    CROSS JOIN LATERAL (
        SELECT string_agg(md5(number::text || word), '') AS text FROM generate_series(1, %(words)s) AS word
    ) AS words
"""


async def attack(effort: Effort) -> list[Row]:
    """N is a number of messages of 60 KB."""
    messages = effort.n or _MESSAGES
    async with attacked(effort, api=UNLIMITED) as stack, aiohttp.ClientSession() as http:
        status, made = await stack.call("POST", "/api/sessions", {"agent_id": "agent"})
        assert status == 201, made
        await asyncio.to_thread(_write, stack, made["id"], messages)
        path = f"/v1/sessions/{made['id']}/transcript"
        n = f"{messages * _BYTES / 1e6:.0f} MB"
        return await rows_beside_readers(stack, http, path, "a long transcript", n)


def _write(stack: Stack, session_id: str, messages: int) -> None:
    """So many messages, straight into the database."""
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        conn.execute(_WRITE, {"id": parse_id("sess", session_id), "messages": messages, "words": _BYTES // _WORD_BYTES})
