"""`parley sessions download`: whole, right, or not at all."""

import hashlib

import pytest
from sqlalchemy import text

from parley.client import audio_download
from parley.client.audio_download import AudioDownload
from sessions.ids import new_uuid, parse_id
from tests.support.network.cutting_relay import cutting_relay
from tests.support.running.api_server import ApiServer
from tests.support.running.customer_shell import CustomerShell

AUDIO = bytes(range(251)) * 4000


@pytest.fixture
async def recorded(api: ApiServer) -> str:
    """A session that is over, with a recording of about a megabyte."""
    session_id = str((await api.create("room"))["id"])
    await api.call("POST", f"/v1/sessions/{session_id}/end")
    key = f"sessions/{session_id}/conversation.wav"
    await api.dependencies.objects.put_bytes(key, AUDIO)
    values = {"session": parse_id("sess", session_id), "id": new_uuid(), "key": key, "size": len(AUDIO)}
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO recordings (session_id, id, plan, frozen_at, committed_at, object_key, sha256, size_bytes,"
                " duration_ms, sample_rate, channels, peak_dbfs, tracks, gaps) VALUES (:session, :id, '{}', now(),"
                " now(), :key, :sha256, :size, 1500, 48000, 1, -6.5, '[]', '[]')"
            ),
            values | {"sha256": hashlib.sha256(AUDIO).hexdigest()},
        )
        await conn.execute(
            text("UPDATE sessions SET status = 'ended', recording_state = 'available' WHERE id = :session"),
            {"session": values["session"]},
        )
    return session_id


async def test_the_file_appears_whole_under_the_sessions_id(recorded: str, shell: CustomerShell) -> None:
    """Its path is stdout; a second download does not overwrite it unless asked to; - is stdout."""
    first = await shell.run("sessions", "download", recorded)
    assert (first.exit_code, first.out) == (0, f"{recorded}.wav\n"), first.err
    assert (shell.home / f"{recorded}.wav").read_bytes() == AUDIO
    again = await shell.run("sessions", "download", recorded)
    assert (again.exit_code, "--force" in again.err) == (2, True)
    assert (await shell.run("sessions", "download", recorded, "--force")).exit_code == 0
    transcript = await shell.run("sessions", "download", recorded, "--format", "json", "--output", "talk.json")
    assert (transcript.exit_code, transcript.out) == (0, "talk.json\n"), transcript.err
    assert sorted(path.name for path in shell.home.iterdir()) == sorted([f"{recorded}.wav", "talk.json"])


async def test_a_session_that_goes_on_has_no_file_yet(api: ApiServer, shell: CustomerShell) -> None:
    """The message says how to end it; nothing is left behind."""
    session_id = (await api.create("room"))["id"]
    refused = await shell.run("sessions", "download", session_id)
    assert (refused.exit_code, f"parley sessions end {session_id}" in refused.err) == (1, True)
    assert list(shell.home.iterdir()) == []


async def test_bytes_that_are_not_the_recording_are_not_kept(
    api: ApiServer, recorded: str, shell: CustomerShell
) -> None:
    """The API knows its digest."""
    await api.dependencies.objects.put_bytes(f"sessions/{recorded}/conversation.wav", AUDIO[:-1] + b"x")
    refused = await shell.run("sessions", "download", recorded)
    assert (refused.exit_code, "SHA-256" in refused.err) == (1, True)
    assert list(shell.home.iterdir()) == []


async def test_a_download_goes_on_where_its_connection_broke(
    api: ApiServer, recorded: str, shell: CustomerShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every connection breaks after 300 kB: it takes several, and the file is whole."""
    monkeypatch.setattr(audio_download, "_PAUSE_SECONDS", 0.0)
    async with cutting_relay() as relay:
        relay.target, relay.cut_bytes = api.base_url, 300_000
        with_link = AudioDownload._link

        async def through_the_relay(self: AudioDownload) -> str:
            return (await with_link(self)).replace(api.base_url, relay.url)

        monkeypatch.setattr(AudioDownload, "_link", through_the_relay)
        saved = await shell.run("sessions", "download", recorded, "--output", "a.wav")
    assert saved.exit_code == 0, saved.err
    assert (shell.home / "a.wav").read_bytes() == AUDIO
    assert relay.connections == 4
