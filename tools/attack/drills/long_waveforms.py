"""Readers of the waveform of hours in stereo, again and again: the API stays small, and others get their answers."""

import asyncio
import json
from base64 import b64encode
from random import Random

import aiohttp
import psycopg

from sessions.ids import parse_id
from tests.support.running.stack import Stack
from tools.attack.api_scene import UNLIMITED, attacked
from tools.attack.readers import rows_beside_readers
from tools.attack.row import Effort, Row

_HOURS = 4
_CELLS_PER_HOUR = 3600 * 50
_RECORD = """
    INSERT INTO recordings (session_id, id, plan, frozen_at, committed_at, object_key, sha256, size_bytes, duration_ms,
        sample_rate, channels, peak_dbfs, tracks, gaps)
    VALUES (%(id)s, gen_random_uuid(), '{}', now(), now(), %(key)s, 'ab', 1, 1, 48000, 2, 0, '[]', '[]')
"""


async def attack(effort: Effort) -> list[Row]:
    """N is a number of hours."""
    hours = effort.n or _HOURS
    async with attacked(effort, api=UNLIMITED) as stack, aiohttp.ClientSession() as http:
        status, made = await stack.call("POST", "/api/sessions", {"agent_id": "agent"})
        assert status == 201, made
        await asyncio.to_thread(_write, stack, made["id"], hours, Random(effort.seed))
        path = f"/v1/sessions/{made['id']}/waveform"
        return await rows_beside_readers(stack, http, path, "a long waveform", f"{hours} hours in stereo")


def _write(stack: Stack, session_id: str, hours: int, random: Random) -> None:
    """A stored recording, as far as its waveform is concerned."""
    cells = hours * _CELLS_PER_HOUR
    document = {
        "sample_rate": 48000,
        "samples_per_peak": 960,
        "channels": 2,
        "peaks": b64encode(random.randbytes(4 * cells)).decode(),
        "samples_per_level": 4800,
        "levels": [{"identity": "ann", "dbfs": b64encode(random.randbytes(cells // 5)).decode()}],
    }
    folder = stack.folder / "objects" / "sessions" / session_id
    folder.mkdir(parents=True)
    folder.joinpath("waveform.json").write_text(json.dumps(document), encoding="utf-8")
    row_id = parse_id("sess", session_id)
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        conn.execute(_RECORD, {"id": row_id, "key": f"sessions/{session_id}/conversation.wav"})
        conn.execute("UPDATE sessions SET status = 'ended', recording_state = 'available' WHERE id = %s", [row_id])
