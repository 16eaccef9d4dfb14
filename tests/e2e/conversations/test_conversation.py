"""A customer records a conversation: through the API, with real processes, from a real room."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import soundfile

from tests.support.rules.bill import assert_balances
from tests.support.rules.holes import holes
from tests.support.running.file_tree import contents_below
from tests.support.running.stack import MASTER_KEY, Stack
from tests.support.talkers.beeps import BeepPlan, assert_true_recording, check_beeps, mint_token

LOW = BeepPlan(pitch_hz=600)
HIGH = BeepPlan(pitch_hz=1700, offset_seconds=0.5)


async def test_two_participants_are_in_the_file_as_they_spoke(
    common_stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """Everybody's beeps: present, in order, evenly spaced; the file as long as the session; the bill balances."""
    stack = common_stack
    async with talker("ann", LOW) as ann, talker("bob", HIGH) as bob:
        session = await stack.create(room, recording={"layout": "stereo", "formats": ["opus"], "tracks": True})
        await stack.reach(session["id"], "running")
        await asyncio.sleep(12)
        assert ann.beeps_spoken >= 10
        assert bob.beeps_spoken >= 10
        ended = await stack.end(session["id"])

    assert ended["status"] == "ended"
    assert ended["end_reason"] == "end.requested"
    assert ended["transport"]["worker_token"] == "[redacted]"
    wav = await stack.download(session["id"], tmp_path / "conversation.wav")
    samples, rate = soundfile.read(wav, dtype="int16", always_2d=True)
    assert (rate, samples.shape[1]) == (48000, 2)
    status, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert (status, recording["state"], holes(recording["gaps"])) == (200, "available", [])
    assert recording["duration_ms"] == len(samples) // 48
    seconds = len(samples) / rate
    assert 11.5 < seconds < 16
    left = samples[:, 0]
    assert not np.any(samples[:, 1]), "the worker said nothing"
    assert_true_recording([check_beeps(left, LOW, 1, seconds - 0.5), check_beeps(left, HIGH, 1, seconds - 0.5)])
    for identity, plan in (("ann", LOW), ("bob", HIGH)):
        for form in ("wav", "opus"):
            file = await stack.download(session["id"], tmp_path / form, f"?identity={identity}&format={form}")
            heard, _ = soundfile.read(file, dtype="int16")
            assert heard.shape == (len(samples),), (identity, form)
            assert_true_recording([check_beeps(heard, plan, 1, seconds - 0.5)])

    status, page = await stack.call("GET", f"/v1/usage/events?session_id={session['id']}")
    assert_balances(page["data"], ended)
    assert abs(ended["usage"]["billable_ms"] / 1000 - seconds) < 0.1
    assert abs(ended["usage"]["audio_ms_received"] / 1000 - 2 * seconds) < 1.5

    status, timeline = await stack.call("GET", f"/v1/sessions/{session['id']}/timeline")
    words = [entry["status_to"] for entry in timeline["data"]]
    assert words == ["created", "queued", "starting", "running", "ending", "ended"]


async def test_nothing_knows_the_token_afterwards(stack: Stack, room: str, tmp_path: Path) -> None:
    """A token that the server refuses (401) fails the session, and its text is in no log, table, response or file."""
    api = await stack.start_api()
    worker = await stack.start_worker()
    refused = mint_token(stack.livekit.api_key, "w" * 40, room, "parley-recorder")
    _, payload, signature = refused.split(".")
    session = await stack.create(room, token=refused)
    failed = await stack.reach(session["id"], "failed")
    events = await stack.call("GET", f"/v1/sessions/{session['id']}/events")

    assert failed["error"]["code"] == "worker_token.rejected"
    secrets = [payload, signature, MASTER_KEY]
    for text in (str(failed), str(events), str(session), api.log(), worker.log()):
        assert not any(secret in text for secret in secrets)
    with psycopg.connect(stack.database_url) as conn:
        tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            dump = str(conn.execute(f"SELECT t::text FROM {table} t").fetchall())
            assert not any(secret in dump for secret in secrets), table
    for path, content in contents_below(tmp_path):
        assert not any(secret.encode() in content for secret in secrets), path


async def test_a_sine_is_recorded_while_nobody_comes(
    common_stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """440 Hz at −20 dBFS from 10 s on, on the right channel, until somebody joins; it is not counted as received."""
    stack = common_stack
    session = await stack.create(
        room,
        recording={"layout": "stereo"},
        idle_timeout_seconds=60,
        transport={"synthetic_audio_if_no_input": True},
    )
    await stack.reach(session["id"], "running")
    await asyncio.sleep(14)
    async with talker("ann", LOW):
        await asyncio.sleep(4)
        ended = await stack.end(session["id"])

    samples, rate = soundfile.read(await stack.download(session["id"], tmp_path / "a.wav"), dtype="int16")
    left, right = samples[:, 0], samples[:, 1]
    assert not np.any(right[: int(9.9 * rate)])
    sine = right[int(11 * rate) : int(13 * rate)].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(sine * np.hanning(len(sine))))
    assert abs(np.argmax(spectrum) * rate / len(sine) - 440) < 1
    assert abs(20 * np.log10(np.max(np.abs(sine)) / 32768) + 20) < 0.2
    assert not np.any(right[-rate:]), "the sine ends for good when somebody joins"
    assert np.any(left[-2 * rate :])
    assert 2000 < ended["usage"]["audio_ms_received"] < 8000
