"""API hosts whose clocks are wrong: every instant is the database's all the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from parley.servers.livekit_server import LiveKitServer
from sessions.ids import new_uuid, parse_id
from sessions.texts.timestamps import format_timestamp, parse_timestamp
from store.access.vault import LinkSigner
from tests.support.running.stack import SECRET_KEY, Stack
from tests.support.running.wrong_clock import wrong_by

OFF_SECONDS = 600
SLACK_SECONDS = 20.0  # of a busy machine, between the look at the key and the commit
NOT_YET_SECONDS = 300.0  # a token's rest, which the fast host takes for over; an old one, which the slow host takes
LINK_SECONDS = 3600.0


async def test_hosts_that_are_ten_minutes_fast_and_slow_agree(
    tmp_path: Path, database_url: str, livekit: LiveKitServer
) -> None:
    """Stamps of one session fit each other, lists are newest first, tokens and links are good until they expire."""
    async with Stack(tmp_path, database_url, livekit, {"PARLEY_DATA_DIR": str(tmp_path / "data")}) as stack:
        for name, seconds in (("fast", OFF_SECONDS), ("slow", -OFF_SECONDS)):
            await stack.start_api(name, **wrong_by(seconds, tmp_path))
        fast, slow = stack.bases

        async def create(base: str, name: str, ttl: float = 3600) -> tuple[int, Any]:
            transport = {"type": "livekit", "url": livekit.url, "room_name": name}
            transport["worker_token"] = stack.token(name, ttl=ttl)
            return await stack.call("POST", "/v1/sessions", {"transport": transport}, base=base)

        made = [await create(base, f"room-{number}") for number, base in enumerate((fast, slow, fast, slow))]
        lists = [(await stack.call("GET", "/v1/sessions", base=base))[1]["data"] for base in (fast, slow)]
        young, _ = await create(fast, "young", NOT_YET_SECONDS)
        old, refused = await create(slow, "old", -NOT_YET_SECONDS)
        pages = [(await stack.call("GET", f"/v1/sessions/{one['id']}/events"))[1]["data"] for _, one in made]
        links = [
            await _link(stack, base, session["id"]) for base, (_, session) in zip((fast, slow), made[:2], strict=True)
        ]
        lives = [_seconds(link["expires_at"], _database_time(database_url)) for link in links]
        served = [await _fetch(stack, base, seconds) for base, seconds in ((fast, 300), (slow, 300), (slow, -300))]

    assert [status for status, _ in made] == [201] * 4
    ids = [session["id"] for _, session in made]
    assert [[session["id"] for session in page] for page in lists] == [ids[::-1], ids[::-1]]
    for _, session in made:
        assert abs(_seconds(session["queued_at"], session["created_at"])) < SLACK_SECONDS, session
    for event in (event for page in pages for event in page):
        made_at = parse_id("evt", event["id"]).int >> 80  # milliseconds
        assert abs(made_at / 1000 - parse_timestamp(event["occurred_at"]).timestamp()) < SLACK_SECONDS, event
    assert all(pages)
    assert young == 201
    assert (old, refused["error"]["code"]) == (422, "worker_token.expired")
    assert all(LINK_SECONDS - SLACK_SECONDS < life <= LINK_SECONDS for life in lives), lives
    assert served == ["not_found", "not_found", "audio.link_invalid"]


def test_keys_expire_by_the_clock_of_the_database(tmp_path: Path, database_url: str, livekit: LiveKitServer) -> None:
    """Made and listed on a host that is fast, and on one that is slow."""
    stack = Stack(tmp_path, database_url, livekit)
    ahead = format_timestamp(datetime.now(UTC) + timedelta(seconds=NOT_YET_SECONDS))
    past = format_timestamp(datetime.now(UTC) - timedelta(seconds=NOT_YET_SECONDS))
    fast, slow = wrong_by(OFF_SECONDS, tmp_path), wrong_by(-OFF_SECONDS, tmp_path)
    create = ("keys", "create", "--organization", "acme", "--expires-at")

    made, refused = stack.run(*create, str(ahead), **fast), stack.run(*create, str(past), **slow)
    listed = stack.run("keys", "list", "--organization", "acme", **fast)

    assert (made.returncode, made.stderr) == (0, "")
    assert (refused.returncode, "must lie ahead" in refused.stderr) == (2, True)
    assert "  valid  " in listed.stdout


async def _link(stack: Stack, base: str, session_id: str) -> Any:
    """What a host says of where the session's recording, which is stored here, can be read."""
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        values = {"session": parse_id("sess", session_id), "id": new_uuid()}
        conn.execute(
            "INSERT INTO recordings (session_id, id, plan, frozen_at, committed_at, object_key, sha256, size_bytes,"
            " duration_ms, sample_rate, channels, tracks, gaps) VALUES (%(session)s, %(id)s, '{}', now(), now(),"
            " 'sessions/conversation.wav', '', 1, 1, 48000, 1, '[]', '[]')",
            values,
        )
        conn.execute(
            "UPDATE sessions SET status = 'ended', recording_state = 'available' WHERE id = %(session)s", values
        )
    status, link = await stack.call("GET", f"/v1/sessions/{session_id}/audio", base=base, allow_redirects=False)
    assert status == 302, link
    return link


async def _fetch(stack: Stack, base: str, seconds: float) -> str:
    """What a host says to a link that expires in so many seconds, to an object that is not there."""
    path = f"/v1/objects/{new_uuid()}"
    expires_at = parse_timestamp(_database_time(stack.database_url)) + timedelta(seconds=seconds)
    signature = LinkSigner([SecretStr(SECRET_KEY)]).sign(f"{path}?name=a.wav", expires_at)
    _, answer = await stack.call(
        "GET", f"{path}?expires={int(expires_at.timestamp())}&signature={signature}&name=a.wav", base=base
    )
    code: str = answer["error"]["code"]
    return code


def _database_time(url: str) -> str:
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return str(format_timestamp(row[0]))


def _seconds(later: str, earlier: str) -> float:
    instants: list[datetime] = [parse_timestamp(one) for one in (later, earlier)]
    return (instants[0] - instants[1]).total_seconds()
