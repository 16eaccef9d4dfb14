"""The thin path: real room → frames → timeline → spool → segments → samples."""

import asyncio
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from audio.segments.segments import RecordKind, read_segment
from parley.servers.livekit_server import LiveKitServer
from store.database.boot_clock import boottime_ns
from store.database.clock import ClockPair
from store.runs.fence import Fence
from tests.support.talkers.beeps import BeepPlan, BeepTalker, assert_true_recording, check_beeps, mint_token
from worker.capture.recorder import Recorder
from worker.clock.session_clock import SessionClock
from worker.joining.joins import Joins
from worker.room.events import AudioSubscribed
from worker.room.subscription import Subscription
from worker.spool.run_folder import RunFolder
from worker.spool.run_spool import RunSpool
from worker.spool.spool_folder import open_spool_folder
from worker.spool.spool_writer import SealedSegment, SpoolWriter

SECONDS = 12.0


def samples_of(segments: list[SealedSegment]) -> dict[str, np.ndarray]:
    """Every identity's samples, from position 0 on."""
    tracks: dict[str, np.ndarray] = {}
    names: dict[int, str] = {}
    for segment in segments:
        for record in read_segment(segment.path.read_bytes()).records:
            if record.kind == RecordKind.TRACK:
                names[record.track] = record.document["identity"]
            if record.kind == RecordKind.AUDIO:
                line = tracks.setdefault(names[record.track], np.zeros(0, np.int16))
                if len(line) < record.end_sample:
                    line = np.concatenate((line, np.zeros(record.end_sample - len(line), np.int16)))
                    tracks[names[record.track]] = line
                line[record.start_sample : record.end_sample] = record.pcm
    return tracks


async def test_beeps_of_two_participants_are_read_back_from_the_spool(livekit: LiveKitServer, tmp_path: Path) -> None:
    """Both are there, in their turns, a second apart, for as long as they talked."""
    plans = {"ann": BeepPlan(600.0), "bob": BeepPlan(1100.0, offset_seconds=0.5)}
    room_name = f"room-{uuid.uuid4().hex[:8]}"

    def token(identity: str, **grants: Any) -> str:
        return mint_token(livekit.api_key, livekit.api_secret, room_name, identity, **grants)

    sealed: list[SealedSegment] = []
    owner, session_id = uuid.uuid4(), uuid.uuid4()
    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter() as writer:
        async with asyncio.TaskGroup() as group:
            joins = Joins(group)
            worker_token = SecretStr(token("worker", can_publish=False, hidden=True, recorder=True))
            room = await joins.join(livekit.url, worker_token, subscription=Subscription(), timeout_seconds=10)
            clock = SessionClock(datetime.now(UTC), ClockPair(datetime.now(UTC), boottime_ns(), 0))
            spool = RunSpool(
                writer,
                RunFolder.open(folder, Fence(session_id, 1, owner)),
                segment_seconds=3,
                on_sealed=sealed.append,
                on_failed=pytest.fail,
            )
            recorder = Recorder(clock, spool, lambda _seconds: None)
            room.listen()

            async def record() -> None:
                arrived = asyncio.Event()
                room.events.notify(arrived.set)
                while True:
                    arrived.clear()
                    for event in room.events.drain():
                        if isinstance(event, AudioSubscribed):
                            group.create_task(room.read_frames(event.track.sid, recorder.open_track(event.track)))
                    await arrived.wait()

            recording = group.create_task(record())
            async with (
                BeepTalker(livekit.url, token("ann"), plans["ann"]),
                BeepTalker(livekit.url, token("bob"), plans["bob"]),
            ):
                await asyncio.sleep(SECONDS)
            recording.cancel()
            await room.leave()
            recorder.close_tracks()
            await spool.close()
    tracks = samples_of(sealed)
    assert {"ann", "bob"} == set(tracks)
    length = len(tracks["ann"]) / 48_000
    reports = [check_beeps(tracks[name], plan, 1.5, length - 1) for name, plan in plans.items()]
    assert_true_recording(reports)
    assert len(sealed) >= 4
