"""Sessions whose every text is an attack on the page that shows it, and one that can be played."""

import base64
import hashlib
import io
import json

import numpy as np
import soundfile
from sqlalchemy import text

from audio.pcm import SAMPLE_RATE
from sessions.ids import new_uuid, parse_id
from store.sessions.log.session_log import NewLogEntry, SessionLog, Source
from tests.support.running.api_server import ApiServer

ATTACK = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>"\'><b>'
SECONDS = 20
FIRST_HERTZ, HERTZ_A_SECOND = 300, 40  # a second's pitch tells which one it is
LINES: tuple[tuple[str, str, int, Source], ...] = (
    ("ann", "first words", 1000, "speech"),
    ("bob", "in the middle", 9000, "speech"),
    (ATTACK, ATTACK, 15_000, "lk.chat"),
)


async def a_conversation(api: ApiServer, title: str = ATTACK) -> str:
    """A session that is over, with twenty seconds of sound, a waveform and a transcript; its id."""
    session = await api.create(
        "room",
        title=title,
        metadata={ATTACK: ATTACK},
        tags=[ATTACK[:60]],
        external_customer_id=ATTACK[:60],
    )
    session_id = parse_id("sess", session["id"])
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text("INSERT INTO transcripts (session_id, state, created_at) VALUES (:id, 'available', now())"),
            {"id": session_id},
        )
    entries = [
        NewLogEntry(
            kind="message" if source == "lk.chat" else "segment",
            role="user",
            text=words,
            source=source,
            identity=who,
            start_ms=at,
            end_ms=at + 2000,
        )
        for who, words, at, source in LINES
    ]
    await SessionLog(api.dependencies.db).append(session_id, entries)
    await _record(api, session["id"])
    return str(session["id"])


async def _record(api: ApiServer, session_id: str) -> None:
    key = f"sessions/{session_id}/conversation.wav"
    data = sound()
    await api.dependencies.objects.put_bytes(key, data)
    await api.dependencies.objects.put_bytes(f"sessions/{session_id}/waveform.json", waveform())
    gaps = [
        {"start_ms": 4000, "end_ms": 6000, "code": "gap.paused"},
        {"start_ms": 12_000, "end_ms": 12_500, "code": "gap.concealed", "identity": ATTACK},
    ]
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO recordings (session_id, id, plan, frozen_at, committed_at, object_key, sha256, size_bytes,"
                " duration_ms, sample_rate, channels, peak_dbfs, tracks, gaps) VALUES (:session, :id, '{}', now(),"
                " now(), :key, :sha256, :size, :duration, 48000, 1, -6.5, '[]', :gaps)"
            ),
            {
                "session": parse_id("sess", session_id),
                "id": new_uuid(),
                "key": key,
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": len(data),
                "duration": SECONDS * 1000,
                "gaps": json.dumps(gaps),
            },
        )
        await conn.execute(
            text(
                "UPDATE sessions SET status = 'ended', recording_state = 'incomplete', started_at = created_at,"
                " ending_at = now(), finished_at = now(), end_reason = 'end.requested' WHERE id = :session"
            ),
            {"session": parse_id("sess", session_id)},
        )


def sound() -> bytes:
    """A WAV file."""
    hertz = np.repeat([float(FIRST_HERTZ + HERTZ_A_SECOND * second) for second in range(SECONDS)], SAMPLE_RATE)
    samples = (6000 * np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE)).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="WAV")
    return file.getvalue()


def waveform() -> bytes:
    """What lies beside it."""
    peaks = np.tile(np.array([-60, 60], dtype=np.int8), SECONDS * 50)
    levels = np.where(np.arange(SECONDS * 10) % 40 < 20, -20, -70).astype(np.int8)
    document = {
        "sample_rate": SAMPLE_RATE,
        "samples_per_peak": SAMPLE_RATE // 50,
        "channels": 1,
        "peaks": base64.b64encode(peaks.tobytes()).decode(),
        "samples_per_level": SAMPLE_RATE // 10,
        "levels": [{"identity": who, "dbfs": base64.b64encode(levels.tobytes()).decode()} for who in ("ann", ATTACK)],
    }
    return json.dumps(document).encode()
