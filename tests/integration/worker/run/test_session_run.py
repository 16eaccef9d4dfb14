"""Sessions from claim to seal: how they run, and how each of them stops."""

import asyncio
import contextlib
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api, rtc
from pydantic import SecretStr

from audio.building.build import BuildPlan, PlannedSegment, SegmentKey, build_recording
from parley.servers.livekit_server import LiveKitServer
from sessions.ids import format_id
from sessions.session import Session
from tests.integration.worker.studio import Studio, seconds_between
from tests.support.network.loopback import silent_server
from tests.support.running.stack import eventually
from tests.support.samples.segments import gaps_of, pcm_of
from tests.support.talkers.beeps import BeepPlan, BeepTalker, assert_true_recording, check_beeps, mint_token
from worker.joining.joins import Joins
from worker.room.subscription import Subscription

PLAN = BeepPlan(700.0)


async def test_an_ended_session_is_recorded_up_to_its_stamp_and_no_further(studio: Studio, room: str) -> None:
    """Beeps are all there, nothing lies past ending_at, the bill covers started_at to ending_at."""
    session = await studio.create(room)
    async with studio.recorder(), BeepTalker(studio.livekit.url, studio.token(room, "ann"), PLAN):
        running = await studio.reaches(session, "running")
        await asyncio.sleep(8)
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
        ending = await studio.get(session)
    seconds = seconds_between(running.started_at, ending.ending_at)
    pcm = pcm_of(await studio.segments(session))
    assert 0.7 > seconds - len(pcm) / 48_000 >= -0.001
    assert_true_recording([check_beeps(pcm, PLAN, 1.0, len(pcm) / 48_000 - 0.5)])
    assert abs(seconds * 1000 - ending.usage.billable_ms) <= 10 * seconds, "one percent, as is promised"
    assert ending.usage.frames > 600


async def test_a_canceled_session_leaves_the_room_within_a_second(studio: Studio, room: str) -> None:
    """The notification reaches the worker at once."""
    session = await studio.create(room)
    async with studio.recorder(heartbeat_seconds=5, stalled_seconds=15):
        await studio.reaches(session, "running")
        await studio.sessions.commands.cancel(studio.organization_id, session.id)
        await studio.sealed(session, seconds=2)


async def test_a_session_canceled_before_it_is_claimed_is_never_joined(studio: Studio, room: str) -> None:
    """A canceled session in the queue is terminal, and no worker touches it."""
    session = await studio.create(room)
    await studio.sessions.commands.cancel(studio.organization_id, session.id)
    async with studio.recorder():
        await asyncio.sleep(1)
    assert (await studio.get(session)).epoch == 0


async def test_an_empty_room_ends_the_session_after_the_idle_timeout(studio: Studio, room: str) -> None:
    """end.idle_timeout, some time after the timeout and not before."""
    session = await studio.create(room, idle_timeout_seconds=2)
    async with studio.recorder():
        ending = await studio.reaches(session, "ending", "ended")
    assert (ending.outcome, ending.end_reason) == ("ended", "end.idle_timeout")
    assert 2 <= seconds_between(ending.started_at, ending.ending_at) < 3


async def test_max_duration_stamps_the_very_second(studio: Studio, room: str) -> None:
    """The stamp is started_at + max_duration_seconds, however late it was found."""
    session = await studio.create(room, max_duration_seconds=2)
    async with studio.recorder():
        ending = await studio.reaches(session, "ending", "ended")
    assert ending.end_reason == "end.max_duration"
    assert seconds_between(ending.started_at, ending.ending_at) == 2.0


async def test_a_refused_token_fails_the_session_and_is_written_nowhere(
    studio: Studio, room: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """401: the token, which the server echoes, is in no error, event or line of ours."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    token = mint_token(studio.livekit.api_key, "x" * 43, room, "worker")
    session = await studio.create(room, token=token)
    with caplog.at_level(logging.DEBUG, logger="worker"):
        async with studio.recorder():
            failed = await studio.reaches(session, "failed")
    assert failed.error_code == "worker_token.rejected"
    events, _ = await studio.sessions.queries.events(studio.organization_id, session.id, 0, 100)
    printed = capfd.readouterr()
    signature = token.rpartition(".")[2]
    for place in (failed, events, caplog.text, printed.out, printed.err):
        assert signature not in str(place)


async def test_an_unreachable_server_fails_the_session_when_the_join_budget_is_over(studio: Studio, room: str) -> None:
    """Nobody listens at the port: retried, then room.refused."""
    session = await studio.create(room, url="ws://127.0.0.1:1")
    async with studio.recorder(join_seconds=2):
        failed = await studio.reaches(session, "failed")
    assert failed.error_code == "room.refused"


async def test_what_waiting_does_not_help_fails_the_session_at_once(studio: Studio, room: str) -> None:
    """Another web server, and TLS where none is spoken: no second attempt is made, and each has its code."""
    async with TestServer(web.Application()) as other:  # answers 404 to everything
        sessions = [
            await studio.create(f"{room}-{scheme}", url=f"{scheme}://127.0.0.1:{other.port}")
            for scheme in ("ws", "wss")
        ]
        async with studio.recorder(join_seconds=60):
            failed = [await studio.reaches(session, "failed") for session in sessions]
    assert [session.error_code for session in failed] == ["room.not_livekit", "room.tls"]


async def test_a_private_address_is_not_dialed(studio: Studio, room: str) -> None:
    """A name that leads to loopback is refused right before the join."""
    session = await studio.create(room, url="ws://ip6-localhost:7880")
    async with studio.recorder(allow_private_hosts=False):
        failed = await studio.reaches(session, "failed")
    assert failed.error_code in ("transport.url_not_allowed", "room.name_unresolved")


async def _room_service(livekit: LiveKitServer) -> api.LiveKitAPI:
    return api.LiveKitAPI(livekit.url.replace("ws", "http", 1), livekit.api_key, livekit.api_secret)


@pytest.mark.parametrize(("deed", "code"), [("kick", "end.removed"), ("delete", "end.room_closed")])
async def test_the_room_s_owner_ends_the_session(studio: Studio, room: str, deed: str, code: str) -> None:
    """Thrown out or room deleted: ended, with its own code."""
    session = await studio.create(room)
    async with studio.recorder(), await _room_service(studio.livekit) as service:
        await studio.reaches(session, "running")
        if deed == "kick":
            await service.room.remove_participant(api.RoomParticipantIdentity(room=room, identity="worker"))
        else:
            await service.room.delete_room(api.DeleteRoomRequest(room=room))
        ending = await studio.reaches(session, "ending", "ended")
    assert ("ended", code) == (ending.outcome, ending.end_reason)


async def test_somebody_else_with_our_identity_fails_the_session(studio: Studio, room: str) -> None:
    """The database knows of no successor: failed, and we do not fight for the identity."""
    session = await studio.create(room)
    async with studio.recorder():
        await studio.reaches(session, "running")
        intruder = rtc.Room()
        await intruder.connect(studio.livekit.url, studio.token(room, "worker"))
        ending = await studio.reaches(session, "ending", "failed")
        assert intruder.isconnected()
        await intruder.disconnect()
    assert ending.error_code == "room.duplicate_identity"


@pytest.mark.long
async def test_an_abandoned_join_does_not_hurt_the_process(studio: Studio, room: str) -> None:
    """Canceled while joining a server that never answers; another session of the process goes on for 20 s more."""
    neighbor = await studio.create(room)
    async with (
        studio.recorder(join_seconds=60),
        BeepTalker(studio.livekit.url, studio.token(room, "ann"), PLAN),
        silent_server() as port,
    ):
        stuck = await studio.create(f"{room}-stuck", url=f"ws://127.0.0.1:{port}")
        await studio.reaches(neighbor, "running")
        await studio.reaches(stuck, "starting")
        await asyncio.sleep(0.5)
        await studio.sessions.commands.cancel(studio.organization_id, stuck.id)
        await studio.sealed(stuck, seconds=3)
        await asyncio.sleep(20)
        assert (await studio.get(neighbor)).status == "running"
        await studio.sessions.commands.end(studio.organization_id, neighbor.id)
        await studio.sealed(neighbor)
    pcm = pcm_of(await studio.segments(neighbor))
    assert_true_recording([check_beeps(pcm, PLAN, 1.0, len(pcm) / 48_000 - 0.5)])


async def test_a_camera_in_the_room_is_not_subscribed(studio: Studio, room: str) -> None:
    """The publisher hears of its microphone's first subscriber, and of none for its camera."""
    visible = studio.token(room, "worker")  # of hidden subscribers a publisher hears nothing
    session = await studio.create(room, token=visible)
    talker = BeepTalker(studio.livekit.url, studio.token(room, "ann"), PLAN)
    subscribed: list[int] = []
    async with talker:
        talker.room.on("local_track_subscribed", lambda track: subscribed.append(track.kind))
        source = rtc.VideoSource(64, 64)
        camera = rtc.LocalVideoTrack.create_video_track("camera", source)
        await talker.room.local_participant.publish_track(camera, rtc.TrackPublishOptions())
        async with studio.recorder():
            await studio.reaches(session, "running")
            for _ in range(30):
                source.capture_frame(rtc.VideoFrame(64, 64, rtc.VideoBufferType.RGBA, bytes(64 * 64 * 4)))
                await asyncio.sleep(0.1)
        await source.aclose()
    assert subscribed == [rtc.TrackKind.KIND_AUDIO]


async def test_the_sine_stands_in_until_somebody_comes(studio: Studio, room: str) -> None:
    """From second 10 on 440 Hz at −20 dBFS, not counted as received, over for good with the first participant."""
    session = await studio.create(room, sine=True)
    async with studio.recorder():
        await studio.reaches(session, "running")
        await asyncio.sleep(12)
        async with BeepTalker(studio.livekit.url, studio.token(room, "ann"), PLAN):
            await asyncio.sleep(2)
        await asyncio.sleep(2)
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
    pcm = pcm_of(await studio.segments(session)).astype(float)
    ended = await studio.get(session)
    assert np.abs(pcm[:480_000]).max() == 0
    assert pytest.approx(np.abs(pcm[480_000:550_000]).max(), abs=2) == 3277
    spectrum = np.abs(np.fft.rfft(pcm[480_000:528_000]))
    assert int(np.argmax(spectrum)) == 440
    assert 3000 > ended.usage.audio_ms_received > 1000


@pytest.mark.long
async def test_a_killed_server_is_weather(
    studio: Studio, own_livekit: LiveKitServer, room: str, tmp_path: Path
) -> None:
    """Down for 25 s: the session stays running, rejoins, and has a gap where nothing could be heard."""
    studio.livekit = own_livekit
    session = await studio.create(room)
    async with studio.recorder(rejoin_seconds=60):
        async with BeepTalker(own_livekit.url, studio.token(room, "ann"), PLAN):
            await studio.reaches(session, "running")
            await asyncio.sleep(3)
            await asyncio.to_thread(own_livekit.kill)
        await asyncio.sleep(25)
        await asyncio.to_thread(own_livekit.start)
        assert (await studio.get(session)).status == "running"
        async with BeepTalker(own_livekit.url, studio.token(room, "ann"), PLAN):
            await asyncio.sleep(12)
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
    segments = await studio.segments(session)
    assert "gap.rejoin" in gaps_of(segments)
    pcm = pcm_of(segments)
    assert np.abs(pcm[-5 * 48_000 :]).max() > 4000


async def test_a_handed_over_session_goes_on_with_its_successor(studio: Studio, room: str) -> None:
    """Two processes: the first is stopped, the second has the session and evicts it; nobody fails."""
    session = await studio.create(room)
    async with (
        studio.recorder(grace_seconds=20) as first,
        BeepTalker(studio.livekit.url, studio.token(room, "ann"), PLAN),
    ):
        await studio.reaches(session, "running")
        await asyncio.sleep(3)
        async with studio.recorder():
            first.process.stop()
            await studio.sealed(session, epoch=1)
            await asyncio.sleep(3)
            now = await studio.get(session)
            assert (now.status, now.epoch) == ("running", 2)
            await studio.sessions.commands.end(studio.organization_id, session.id)
            await studio.sealed(session, epoch=2)
    assert_whole(session, await studio.segments(session))


def assert_whole(session: Session, segments: list[tuple[str, bytes]]) -> None:
    """What the segments build has every beep but those of the hand-over itself."""
    prefix = f"spool/{format_id('sess', session.id)}/"
    stored = dict(segments)
    planned = tuple(PlannedSegment(SegmentKey.parse(key.removeprefix(prefix)), key) for key in stored)
    length = max(one.key.last_sample for one in planned)
    import tempfile

    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conversation.wav"
        build_recording(BuildPlan(planned, length), stored.__getitem__, path)
        pcm, _ = soundfile.read(path, dtype="int16")
    report = check_beeps(pcm, PLAN, 1.0, length / 48_000 - 0.5)
    assert report.presence >= 0.8, report


async def test_a_full_disk_fails_that_session_and_keeps_what_it_had(studio: Studio, room: str) -> None:
    """storage.full; the segments written before are uploaded."""
    async with studio.recorder() as recorder:
        session = await studio.create(room)
        async with BeepTalker(studio.livekit.url, studio.token(room, "ann"), PLAN):
            await studio.reaches(session, "running")
            await asyncio.sleep(3)
            recorder.writer.call(lambda: _fill(session))
            ending = await studio.reaches(session, "ending", "failed")
            await studio.sealed(session)
    _unfill()
    assert (ending.outcome, ending.error_code) == ("failed", "storage.full")
    assert len(pcm_of(await studio.segments(session))) > 48_000


def _fill(session: Session) -> None:
    """Let every write of this session's open segment fail as on a full disk."""
    import errno
    import os

    global _write
    _write = os.write

    def full(fd: int, data: Any) -> int:
        if str(session.id) in os.readlink(f"/proc/self/fd/{fd}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(_write(fd, data))

    os.write = full


def _unfill() -> None:
    import os

    os.write = _write


_write: Any = None


async def test_a_process_that_stood_still_says_so(studio: Studio, room: str) -> None:
    """Its loop did not run for five seconds: frames keep their count, but what they hold is not true."""
    session = await studio.create(room)
    async with studio.recorder(stalled_seconds=15):
        await studio.reaches(session, "running")
        await asyncio.sleep(1)
        time.sleep(5)  # noqa: ASYNC251 - the standstill itself
        await asyncio.sleep(1)
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
    assert "gap.worker_stalled" in gaps_of(await studio.segments(session))


async def test_joins_abandoned_at_any_moment_land_and_leave(studio: Studio, room: str) -> None:
    """Walked away from after 5 to 80 ms: 20 s later the process lives, and nobody is left in the room."""
    async with asyncio.TaskGroup() as group:
        joins = Joins(group)
        for milliseconds in (5, 10, 20, 40, 80):
            token = SecretStr(studio.token(room, f"worker-{milliseconds}"))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(milliseconds / 1000):
                    await joins.join(studio.livekit.url, token, subscription=Subscription(), timeout_seconds=10)
        await asyncio.sleep(20)
        assert (joins.abandoned, await joins.all_landed(1)) == (0, True)
    async with await _room_service(studio.livekit) as service:

        async def nobody_is_left() -> bool:  # whom the server did not hear leaving keeps its seat for some 23 s
            there = await service.room.list_participants(api.ListParticipantsRequest(room=room))
            return not there.participants

        await eventually(nobody_is_left, what="the room is empty")
