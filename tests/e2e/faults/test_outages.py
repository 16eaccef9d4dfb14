"""What was said and is not in the file lies in a gap, whatever stood between the worker and the talker."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc

from parley.servers.free_ports import free_ports
from parley.servers.livekit_server import LiveKitServer
from tests.support.network.media_relay import LiteServer, MediaRelay
from tests.support.rules.holes import holes
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Stack, eventually, recorders
from tests.support.talkers.beeps import BeepPlan, mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice

VOICE = SlotVoice(0)


def freeze(server: LiveKitServer) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)


def thaw(server: LiveKitServer) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGCONT)


AWAY: dict[str, tuple[Callable[[LiveKitServer], None], Callable[[LiveKitServer], None]]] = {
    "frozen": (freeze, thaw),
    "killed": (LiveKitServer.kill, LiveKitServer.start),
}


@asynccontextmanager
async def own_stack(tmp_path: Path, database_url: str, server: LiveKitServer) -> AsyncIterator[Stack]:
    async with Stack(tmp_path, database_url, server) as stack:
        await stack.start_api()
        await stack.start_worker(PARLEY_SPEECH_ENGINE="none")
        yield stack


def ann(server: LiveKitServer, room: str) -> SlotTalker:
    """She says when she spoke, also while nobody carries it."""
    return SlotTalker(server.url, mint_token(server.api_key, server.api_secret, room, "ann"), VOICE)


def bob(server: LiveKitServer, room: str) -> SlotTalker:
    """The same."""
    return SlotTalker(server.url, mint_token(server.api_key, server.api_secret, room, "bob"), SlotVoice(1))


async def true_gaps(stack: Stack, session_id: str, talkers: list[SlotTalker], folder: Path) -> list[dict[str, Any]]:
    """The holes of a session that is over, each of which is true, and which are all."""
    for talker in talkers:
        [truth] = (await assert_never_silently_wrong(stack, session_id, [talker], folder)).values()
        assert truth.heard > 0, "the talker was heard"
    _, recording = await stack.call("GET", f"/v1/sessions/{session_id}/recording")
    assert recording["state"] == "available"
    return holes(recording["gaps"])


@pytest.mark.parametrize("how", [pytest.param("frozen", marks=pytest.mark.long), "killed"])
async def test_a_session_that_ends_while_the_server_is_away_has_a_gap_to_its_end(
    tmp_path: Path, database_url: str, own_livekit: LiveKitServer, room: str, how: str
) -> None:
    """14 s of silence at the end are one gap."""
    async with own_stack(tmp_path, database_url, own_livekit) as stack, ann(own_livekit, room) as talker:
        session = await stack.create(room, idle_timeout_seconds=60)
        await stack.reach(session["id"], "running")
        await asyncio.sleep(5)
        await asyncio.to_thread(AWAY[how][0], own_livekit)
        await asyncio.sleep(14)
        ended = await stack.end(session["id"])
        [gap] = await true_gaps(stack, session["id"], [talker], tmp_path)

    assert (ended["status"], gap["code"]) == ("ended", "gap.rejoin")
    assert gap["end_ms"] - gap["start_ms"] >= 13_500


@pytest.mark.long
@pytest.mark.parametrize("how", AWAY)
async def test_an_outage_is_one_gap_from_the_last_word_to_the_next_one(
    tmp_path: Path, database_url: str, own_livekit: LiveKitServer, room: str, how: str
) -> None:
    """The server is away for 20 s; the worker joins again by itself, and the talker comes again, too."""
    async with own_stack(tmp_path, database_url, own_livekit) as stack:
        async with ann(own_livekit, room) as before:
            session = await stack.create(room, idle_timeout_seconds=60)
            await stack.reach(session["id"], "running")
            await asyncio.sleep(5)
            await asyncio.to_thread(AWAY[how][0], own_livekit)
            await asyncio.sleep(20)
        await asyncio.to_thread(AWAY[how][1], own_livekit)
        async with ann(own_livekit, room) as after:
            await asyncio.sleep(15)
            ended = await stack.end(session["id"])
        [gap] = await true_gaps(stack, session["id"], [before, after], tmp_path)

    assert (ended["status"], ended["epoch"], gap["code"]) == ("ended", 1, "gap.rejoin")
    assert gap["end_ms"] - gap["start_ms"] >= 19_500


@pytest.mark.long
async def test_who_comes_back_later_than_the_others_after_an_outage_has_a_gap_of_their_own(
    tmp_path: Path, database_url: str, own_livekit: LiveKitServer, room: str
) -> None:
    """The server is killed and back; ann joins again at once, and is heard; bob nine seconds later."""
    async with own_stack(tmp_path, database_url, own_livekit) as stack:
        async with ann(own_livekit, room) as early, bob(own_livekit, room) as late:
            session = await stack.create(room, idle_timeout_seconds=60)
            await stack.reach(session["id"], "running")
            await asyncio.sleep(4)
            await asyncio.to_thread(own_livekit.kill)
        await asyncio.to_thread(own_livekit.start)
        async with ann(own_livekit, room) as early_again:
            await asyncio.sleep(9)
            async with bob(own_livekit, room) as late_again:
                await asyncio.sleep(4)
                await stack.end(session["id"])
        gaps = await true_gaps(stack, session["id"], [early, late, early_again, late_again], tmp_path)

    assert [(gap["code"], gap.get("identity")) for gap in gaps] == [("gap.rejoin", None), ("gap.rejoin", "bob")]
    assert gaps[1]["end_ms"] - gaps[1]["start_ms"] >= 6_000


@pytest.mark.long
@pytest.mark.parametrize(("tcp", "least_ms", "longest_ms"), [(False, 29_000, 40_000), (True, 1_000, 20_000)])
async def test_media_that_is_dropped_while_signaling_goes_on_is_one_gap(
    tmp_path: Path,
    database_url: str,
    livekit_binary: Path,
    room: str,
    tcp: bool,
    least_ms: int,
    longest_ms: int,
) -> None:
    """UDP is dropped for 30 s: as soon as nothing has proven its connection for ten, the worker leaves and joins again.

    If the server offers TCP, too, either the SDK has gone over to that before (`gap.concealed`) or the worker does.
    """
    server = LiteServer(livekit_binary, tmp_path / "livekit")
    if tcp:
        (server.tcp_port,) = free_ports(1)
    with server:
        async with (
            MediaRelay(server) as relay,
            own_stack(tmp_path, database_url, server) as stack,
            ann(server, room) as talker,
        ):
            session = await stack.create(room, idle_timeout_seconds=60, transport={"url": relay.url})
            await stack.reach(session["id"], "running")
            await asyncio.sleep(5)
            assert relay.relayed > 100, "media takes this way"
            relay.dropping = True
            await asyncio.sleep(30)
            relay.dropping = False
            await asyncio.sleep(15)
            ended = await stack.end(session["id"])
            [gap] = await true_gaps(stack, session["id"], [talker], tmp_path)
            log = (tmp_path / "worker.log").read_text()

    assert (ended["status"], ended["epoch"]) == ("ended", 1)
    assert gap["code"] == ("gap.rejoin" if "room.unproven" in log else "gap.concealed")
    assert least_ms <= gap["end_ms"] - gap["start_ms"] <= longest_ms
    assert relay.dropped > 0
    assert tcp or "room.unproven" in log


@pytest.mark.long
@pytest.mark.parametrize("seconds", [3, 7])
async def test_a_recorder_that_is_killed_before_an_outage_is_sure_loses_only_what_is_named(
    tmp_path: Path, database_url: str, own_livekit: LiveKitServer, room: str, seconds: float
) -> None:
    """The server stands still; frames come on, made up, and nothing else has said yet that it is away."""
    async with Stack(tmp_path, database_url, own_livekit) as stack, ann(own_livekit, room) as talker:
        await stack.start_api()
        worker = await stack.start_worker(PARLEY_PROCESSES="2", PARLEY_SPEECH_ENGINE="none")
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await asyncio.sleep(4)
        freeze(own_livekit)
        await asyncio.sleep(seconds)
        for child in recorders(worker.popen.pid):
            child.kill()
        thaw(own_livekit)
        await eventually(lambda: _taken_over(stack, session["id"]), seconds=30, what="it was taken over")
        await asyncio.sleep(5)
        await stack.end(session["id"])
        truths = await assert_never_silently_wrong(stack, session["id"], [talker], tmp_path)

    assert truths["ann"].lost > 10 * (seconds - 1)
    assert truths["ann"].heard > 60


async def _taken_over(stack: Stack, session_id: str) -> bool:
    session = await stack.get(session_id)
    return bool(session["epoch"] > 1 and session["status"] == "running")


async def test_whoever_forbids_the_worker_to_listen_causes_a_gap_of_their_own(
    common_stack: Stack, room: str, livekit: LiveKitServer, tmp_path: Path
) -> None:
    """The room's owner takes canSubscribe for 5 s: nobody is heard, which is declared as the customer's doing."""
    async with ann(livekit, room) as talker:
        session = await common_stack.create(room)
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(4)
        await common_stack.permit_listening(room, False)
        await asyncio.sleep(5)
        await common_stack.permit_listening(room, True)
        await asyncio.sleep(4)
        await common_stack.end(session["id"])
        [gap] = await true_gaps(common_stack, session["id"], [talker], tmp_path)

    assert gap["code"] == "gap.permission"
    assert gap["end_ms"] - gap["start_ms"] >= 4_500


@pytest.mark.long
async def test_a_publisher_who_forbids_the_worker_to_listen_causes_a_gap_of_their_own(
    common_stack: Stack, room: str, livekit: LiveKitServer, tmp_path: Path
) -> None:
    """In the midst, for 4 s; nothing says so but packets that come no more, and frames that end half a second later."""
    async with ann(livekit, room) as talker:
        session = await common_stack.create(room, token=common_stack.token(room, recorder=False))
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(4)
        talker.room.local_participant.set_track_subscription_permissions(allow_all_participants=False)
        await asyncio.sleep(4)
        talker.room.local_participant.set_track_subscription_permissions(allow_all_participants=True)
        await asyncio.sleep(5)
        await common_stack.end(session["id"])
        gaps = await true_gaps(common_stack, session["id"], [talker], tmp_path)

    [gap] = [gap for gap in gaps if gap["code"] == "gap.permission"]
    assert gap["identity"] == "ann"
    assert gap["end_ms"] - gap["start_ms"] >= 3_500


@pytest.mark.long
@pytest.mark.parametrize("recorder", [False, True])
async def test_whoever_never_lets_the_worker_listen_is_named(
    common_stack: Stack, room: str, livekit: LiveKitServer, tmp_path: Path, recorder: bool
) -> None:
    """From the publication on: ann forbids it before the session begins. LiveKit asks nobody about a recorder."""
    async with ann(livekit, room) as talker:
        talker.room.local_participant.set_track_subscription_permissions(allow_all_participants=False)
        session = await common_stack.create(room, token=common_stack.token(room, recorder=recorder))
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(8)
        await common_stack.end(session["id"])

    truths = await assert_never_silently_wrong(common_stack, session["id"], [talker], tmp_path)
    _, recording = await common_stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    heard, lost, codes = truths["ann"].heard, truths["ann"].lost, {gap["code"] for gap in holes(recording["gaps"])}
    if recorder:
        assert (heard > 40, lost, codes) == (True, 0, set())
    else:
        assert (heard, lost > 40, codes) == (0, True, {"gap.permission"})


async def test_a_muted_microphone_is_no_gap(common_stack: Stack, room: str, talker: Callable[..., Any]) -> None:
    """While it is muted nothing comes, and the jitter buffer makes up silence; nobody is blamed for that."""
    async with talker("ann", BeepPlan(700.0)) as muting:
        session = await common_stack.create(room)
        await common_stack.reach(session["id"], "running")
        [publication] = muting.room.local_participant.track_publications.values()
        track = publication.track
        assert isinstance(track, rtc.LocalAudioTrack)
        for _ in range(7):  # whatever the rhythm of the readings is: some lie before a mute and after it
            await asyncio.sleep(2)
            track.mute()
            await asyncio.sleep(2)
            track.unmute()
        await asyncio.sleep(2)
        await common_stack.end(session["id"])
        _, recording = await common_stack.call("GET", f"/v1/sessions/{session['id']}/recording")

    assert holes(recording["gaps"]) == []


@pytest.mark.long
async def test_a_pause_that_ends_or_begins_in_an_outage_and_the_outage_are_told_apart(
    tmp_path: Path, database_url: str, own_livekit: LiveKitServer, room: str
) -> None:
    """LiveKit server frozen for 13 s, in two sessions; neither gap lies in the other."""
    async with (
        own_stack(tmp_path, database_url, own_livekit) as stack,
        ann(own_livekit, f"{room}-1") as first,
        ann(own_livekit, f"{room}-2") as second,
    ):
        sessions = [await stack.create(f"{room}-{number}", idle_timeout_seconds=60) for number in (1, 2)]
        ids = [session["id"] for session in sessions]
        for session_id in ids:
            await stack.reach(session_id, "running")
        await asyncio.sleep(3)
        await stack.call("POST", f"/v1/sessions/{ids[0]}/pause")
        await asyncio.sleep(1)
        freeze(own_livekit)
        await asyncio.sleep(4)
        await stack.call("POST", f"/v1/sessions/{ids[0]}/resume")
        await stack.call("POST", f"/v1/sessions/{ids[1]}/pause")
        await asyncio.sleep(9)
        thaw(own_livekit)
        await asyncio.sleep(4)
        await stack.call("POST", f"/v1/sessions/{ids[1]}/resume")
        await asyncio.sleep(5)
        for session_id in ids:
            await stack.end(session_id)
        found = [
            await true_gaps(stack, session_id, [talker], tmp_path)
            for session_id, talker in zip(ids, (first, second), strict=True)
        ]

    for gaps, codes in zip(found, (["gap.paused", "gap.rejoin"], ["gap.rejoin", "gap.paused"]), strict=True):
        assert [gap["code"] for gap in gaps] == codes
        assert gaps[0]["end_ms"] <= gaps[1]["start_ms"] + 1
