"""A recording whose bytes no 32 bits can count: six and a half hours in stereo."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from sqlalchemy import text

from audio.building.build import BuildResult, build_recording
from audio.pcm import SAMPLE_RATE
from sessions.ids import new_uuid, parse_id
from tests.support.running.api_server import ApiServer
from tests.support.samples.sparse_file import SparseFile
from tests.support.samples.stored_segments import StoredSegments, audio, level, track

SAMPLES = (1 << 30) + 3 * SAMPLE_RATE + 17  # of four bytes each
SPOKEN = level(1000, SAMPLE_RATE // 2)
SPOKEN_AT = SAMPLES - SAMPLE_RATE


def _build(path: Path) -> BuildResult:
    """Silence with a word near its end, of which only the word takes room on the disk."""
    segments = StoredSegments()
    segments.store(track(), audio(SPOKEN_AT, SPOKEN))
    path.parent.mkdir(parents=True)
    with SparseFile(path, "w+") as file:
        result = build_recording(segments.plan(SAMPLES, layout="stereo"), segments.__getitem__, file)
    assert path.stat().st_blocks * 512 < 1 << 24
    return result


async def _commit(api: ApiServer, session_id: str, key: str, result: BuildResult) -> None:
    """As the finalizer does."""
    values: dict[str, Any] = {
        "session": parse_id("sess", session_id),
        "id": new_uuid(),
        "key": key,
        "sha256": result.sha256_hex,
        "size": result.size_bytes,
        "ms": result.length_samples * 1000 // result.sample_rate,
    }
    insert = (
        "INSERT INTO recordings (session_id, id, plan, frozen_at, committed_at, object_key, sha256, size_bytes,"
        " duration_ms, sample_rate, channels, tracks, gaps)"
        " VALUES (:session, :id, '{}', now(), now(), :key, :sha256, :size, :ms, 48000, 2, '[]', '[]')"
    )
    ended = "UPDATE sessions SET status = 'ended', recording_state = 'available' WHERE id = :session"
    async with api.dependencies.db.begin() as conn:
        await conn.execute(text(insert), values)
        await conn.execute(text(ended), {"session": values["session"]})


async def test_a_recording_beyond_4_gib_is_as_long_as_it_says_wherever_it_is_read(
    api: ApiServer, tmp_path: Path
) -> None:
    """In RF64: soundfile finds every sample, the API says the length, and serves what lies beyond 32 bits."""
    session = await api.create("room")
    key = f"sessions/{session['id']}/conversation.wav"
    path = tmp_path / "objects" / key
    result = _build(path)
    await _commit(api, session["id"], key, result)

    with soundfile.SoundFile(path) as wav:
        assert (wav.format, wav.frames, wav.channels) == ("RF64", SAMPLES, 2)
        wav.seek(SPOKEN_AT - 10)
        word = wav.read(len(SPOKEN) + 20, dtype="int16")
    assert np.flatnonzero(word[:, 0])[[0, -1]].tolist() == [10, 9 + len(SPOKEN)]
    assert result.size_bytes == path.stat().st_size > 1 << 32

    recording = (await api.call("GET", f"/v1/sessions/{session['id']}/recording")).content
    assert recording["size_bytes"] == result.size_bytes
    assert recording["duration_ms"] == timedelta(seconds=SAMPLES / SAMPLE_RATE) // timedelta(milliseconds=1)
    link = (await api.call("GET", f"/v1/sessions/{session['id']}/audio")).headers["Location"]
    link = link.removeprefix(api.base_url)
    head = await api.call("HEAD", link, key=None)
    assert (head.status, head.headers["Content-Length"]) == (200, str(result.size_bytes))
    end = 4 * (SAMPLE_RATE // 2)  # of silence, after the word
    part = await api.call("GET", link, key=None, headers={"Range": f"bytes={result.size_bytes - end - 8}-"})
    assert (
        part.headers["Content-Range"]
        == f"bytes {result.size_bytes - end - 8}-{result.size_bytes - 1}/{result.size_bytes}"
    )
    assert part.body == SPOKEN[-1:].tobytes().ljust(4, b"\0") * 2 + bytes(end)
