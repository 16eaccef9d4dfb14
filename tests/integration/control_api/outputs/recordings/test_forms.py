"""`GET …/audio?format=…&identity=…`: asked for, made, linked to, erased."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import soundfile
from sqlalchemy import text

from audio.pcm import SAMPLE_RATE
from sessions.ids import parse_id
from store.outputs.freeze import Freezes
from store.outputs.recording_files import RecordingFiles
from tests.integration.control_api.outputs.recordings.test_recordings import store_recording
from tests.support.running.api_server import ApiServer
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.file_maker import FileMaker

SECONDS = 2
TYPES = {"wav": "audio/wav", "flac": "audio/flac", "opus": "audio/ogg", "mp3": "audio/mpeg"}


async def recorded(api: ApiServer, **recording: Any) -> str:
    """A session that is over, whose recording has two seconds; its id."""
    session = await api.create("room", recording=recording)
    key = await store_recording(api, session["id"])
    wav = io.BytesIO()
    soundfile.write(wav, np.zeros(SECONDS * SAMPLE_RATE, dtype=np.int16), SAMPLE_RATE, format="WAV")
    await api.dependencies.objects.put_bytes(key, wav.getvalue())
    return str(session["id"])


async def make(api: ApiServer, session_id: str) -> None:
    """As the job does."""
    db, objects = api.dependencies.db, api.dependencies.objects

    async def confirm() -> None:
        """The storage is the test's own."""

    folder = api.dependencies.settings.data_dir / "tmp"
    maker = FileMaker(RecordingFiles(db), Freezes(db), objects, confirm, Leftovers(db, objects), temporary=folder)
    await maker.make(id_of(session_id))


def id_of(session_id: str) -> UUID:
    return parse_id("sess", session_id)


@pytest.mark.parametrize("form", ["flac", "opus", "mp3"])
async def test_a_form_is_made_when_it_is_asked_for(api: ApiServer, form: str) -> None:
    """409 with Retry-After, a job, then a link that serves it and its ranges without a key."""
    session_id = await recorded(api)
    path = f"/v1/sessions/{session_id}/audio?format={form}"
    for _ in range(2):
        early = await api.call("GET", path)
        assert (early.status, early.code) == (409, "audio.not_ready")
        assert int(early.headers["Retry-After"]) == early.content["error"]["retry_after_seconds"] >= 1
    await make(api, session_id)
    found = await api.call("GET", path)
    assert found.status == 302
    link = found.headers["Location"].removeprefix(api.base_url)
    whole = await api.call("GET", link, key=None)
    assert (whole.status, whole.headers["Content-Type"]) == (200, TYPES[form])
    with soundfile.SoundFile(io.BytesIO(whole.body)) as audio:
        assert audio.frames == SECONDS * SAMPLE_RATE
    part = await api.call("GET", link, key=None, headers={"Range": "bytes=100-199"})
    assert (part.status, part.body) == (206, whole.body[100:200])
    files = (await api.call("GET", f"/v1/sessions/{session_id}/recording")).content["files"]
    assert [(file["format"], file["track"], file["identity"], file["state"]) for file in files] == [
        ("wav", "mix", None, "available"),
        (form, "mix", None, "available"),
    ]
    assert files[1]["bytes"] == len(whole.body)


@pytest.mark.parametrize("form", ["flac", "opus", "mp3"])
async def test_an_empty_recording_has_no_other_form(api: ApiServer, form: str) -> None:
    """404 at once: nobody is told to wait for it. The WAV file is there."""
    session_id = await recorded(api)
    async with api.dependencies.db.begin() as conn:
        await conn.execute(text("UPDATE recordings SET duration_ms = 0"))
    none = await api.call("GET", f"/v1/sessions/{session_id}/audio?format={form}")
    assert (none.status, none.code, none.content["error"]["param"]) == (404, "audio.none", "format")
    assert (await api.call("GET", f"/v1/sessions/{session_id}/audio")).status == 302


async def test_wav_is_the_form_that_is_meant_where_none_is_named(api: ApiServer) -> None:
    """`format=wav` is the same file."""
    session_id = await recorded(api)
    links = [
        (await api.call("GET", f"/v1/sessions/{session_id}/audio{query}")).headers["Location"].partition("?")[0]
        for query in ("", "?format=wav")
    ]
    assert links[0] == links[1]
    refused = await api.call("GET", f"/v1/sessions/{session_id}/audio?format=aac")
    assert (refused.status, refused.code) == (422, "parameter.invalid")


async def test_a_session_that_runs_says_when_to_ask_again(api: ApiServer) -> None:
    """In any form, and starts no job."""
    session = await api.create("room")
    for form in TYPES:
        early = await api.call("GET", f"/v1/sessions/{session['id']}/audio?format={form}")
        assert (early.status, early.code) == (409, "audio.not_ready")
        assert int(early.headers["Retry-After"]) >= 1
    assert await RecordingFiles(api.dependencies.db).of(id_of(session["id"])) == []


async def test_a_participant_is_found_where_tracks_were_asked_for(api: ApiServer) -> None:
    """404 for everybody else; the parameter is named."""
    session_id = await recorded(api, tracks=True, formats=["opus"])
    path = f"/v1/sessions/{session_id}/audio?identity=ann"
    for query in ("", "&format=opus"):
        none = await api.call("GET", path + query)
        assert (none.status, none.code, none.content["error"]["param"]) == (404, "audio.none", "identity")
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO recording_files (session_id, identity, format, state, requested_at, object_key)"
                " VALUES (:id, 'ann', 'wav', 'available', now(), :key)"
            ),
            {"id": id_of(session_id), "key": f"sessions/{session_id}/conversation.wav"},
        )
    assert (await api.call("GET", path)).status == 302
    assert (await api.call("GET", path + "&format=opus")).code == "audio.not_ready"
    await make(api, session_id)
    assert (await api.call("GET", path + "&format=opus")).status == 302
    async with api.dependencies.db.begin() as conn:
        await conn.execute(text("UPDATE recording_files SET state = 'failed', object_key = NULL"))
    for query in ("", "&format=opus", "&format=mp3"):
        none = await api.call("GET", path + query)
        assert (none.status, none.code, none.content["error"]["param"]) == (404, "audio.none", "identity")


async def test_what_is_wanted_is_said_at_create_and_read_back(api: ApiServer) -> None:
    """Each form once, in one order; others are refused."""
    session = await api.create("room", recording={"formats": ["mp3", "flac", "mp3"], "tracks": True})
    expected = {"layout": "mono", "on_pause": "silence", "formats": ["flac", "mp3"], "tracks": True}
    assert session["recording"] == expected
    assert (await api.call("GET", f"/v1/sessions/{session['id']}")).content["recording"] == expected


async def test_deletion_leaves_no_form(api: ApiServer) -> None:
    """Rows and objects are gone with the session, and links lead nowhere."""
    session_id = await recorded(api)
    path = f"/v1/sessions/{session_id}/audio?format=flac"
    await api.call("GET", path)
    await make(api, session_id)
    link = (await api.call("GET", path)).headers["Location"].removeprefix(api.base_url)
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text("UPDATE sessions SET finished_at = :at WHERE id = :id"),
            {"at": datetime.now(UTC) - timedelta(hours=1), "id": id_of(session_id)},
        )
    assert (await api.call("DELETE", f"/v1/sessions/{session_id}")).status == 204
    assert (await api.call("GET", link, key=None)).status == 404
    assert await RecordingFiles(api.dependencies.db).of(id_of(session_id)) == []
    assert await api.dependencies.objects.list(f"sessions/{session_id}") == []


async def test_the_waveform_is_that_of_the_recording(api: ApiServer) -> None:
    """Stored once, downsampled where it is asked for, known by its tag; 404 and 409 as for the audio."""
    session = await api.create("another room")
    path = f"/v1/sessions/{session['id']}/waveform"
    assert (await api.call("GET", path)).code == "audio.not_ready"
    await store_recording(api, session["id"])
    assert (await api.call("GET", path)).code == "audio.none"
    stored = {
        "sample_rate": 48000,
        "samples_per_peak": 960,
        "channels": 1,
        "peaks": "/wH+Av0D",
        "samples_per_level": 4800,
        "levels": [],
    }
    key = f"sessions/{session['id']}/waveform.json"
    await api.dependencies.objects.put_bytes(key, json.dumps(stored).encode())
    whole = await api.call("GET", path)
    assert (whole.content["object"], whole.content["session_id"]) == ("waveform", session["id"])
    assert (whole.content["data"], whole.content["length"]) == ([-1, 1, -2, 2, -3, 3], 3)
    few = await api.call("GET", path + "?pixels=2")
    assert (few.content["data"], few.content["samples_per_pixel"]) == ([-2, 2, -3, 3], 1920)
    same = await api.call("GET", path, headers={"If-None-Match": whole.headers["ETag"]})
    assert (same.status, same.body) == (304, b"")
    assert (await api.call("GET", path, headers={"If-None-Match": few.headers["ETag"]})).status == 200


async def test_a_file_is_saved_under_title_and_date(api: ApiServer) -> None:
    """As they are when the link is made; in UTF-8 and, for old clients, in ASCII."""
    session_id = await recorded(api)
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text("UPDATE sessions SET title = 'Ärger/1', started_at = '2026-11-29T23:25:33Z' WHERE id = :id"),
            {"id": id_of(session_id)},
        )
    link = (await api.call("GET", f"/v1/sessions/{session_id}/audio")).headers["Location"]
    served = await api.call("GET", link.removeprefix(api.base_url), key=None, headers={"Range": "bytes=0-3"})
    assert (served.status, served.body) == (206, b"RIFF")
    assert served.headers["Content-Disposition"] == (
        "inline; filename=\"_rger 1 2026-11-29 23.25.wav\"; filename*=UTF-8''%C3%84rger%201%202026-11-29%2023.25.wav"
    )
