"""However a run ends while its room is away: what it missed is declared up to its end."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audio.segments.segments import RecordKind, read_segment
from parley.servers.livekit_server import LiveKitServer
from sessions.session import Session
from tests.integration.worker.studio import Studio
from tests.support.talkers.beeps import BeepPlan, BeepTalker
from worker.processes.recorder_opening import OpenRecorder
from worker.run.recording import RunRecording

AWAY_SECONDS = 6.0

End = Callable[[Studio, OpenRecorder, Session, pytest.MonkeyPatch], Any]


async def _end(studio: Studio, recorder: OpenRecorder, session: Session, patch: pytest.MonkeyPatch) -> None:
    await studio.sessions.commands.end(studio.organization_id, session.id)


async def _cancel(studio: Studio, recorder: OpenRecorder, session: Session, patch: pytest.MonkeyPatch) -> None:
    await studio.sessions.commands.cancel(studio.organization_id, session.id)


async def _drain(studio: Studio, recorder: OpenRecorder, session: Session, patch: pytest.MonkeyPatch) -> None:
    recorder.process.stop()


async def _crash(studio: Studio, recorder: OpenRecorder, session: Session, patch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("a bug")

    patch.setattr(RunRecording, "tick", crash)


async def _break_spool(studio: Studio, recorder: OpenRecorder, session: Session, patch: pytest.MonkeyPatch) -> None:
    write = os.write
    broken = {str(path) for path in Path(studio.settings.data_dir).rglob("*.open")}
    assert broken

    def refuse(fd: int, data: Any) -> int:
        if os.readlink(f"/proc/self/fd/{fd}") in broken:
            raise OSError("the disk does not like this file")
        return write(fd, data)

    patch.setattr(os, "write", refuse)


@pytest.mark.parametrize("end", [_end, _cancel, _drain, _crash, _break_spool])
async def test_an_open_hole_is_named_however_the_run_ends(
    studio: Studio, own_livekit: LiveKitServer, room: str, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is frozen for six seconds, which is too short for a rejoin, and then the run is over."""
    studio.livekit = own_livekit
    session = await studio.create(room)
    async with (
        BeepTalker(own_livekit.url, studio.token(room, "ann"), BeepPlan(700.0)),
        studio.recorder(segment_seconds=600) as recorder,
    ):
        await studio.reaches(session, "running")
        await asyncio.sleep(3)
        assert own_livekit.pid is not None
        os.kill(own_livekit.pid, signal.SIGSTOP)
        await asyncio.sleep(AWAY_SECONDS)
        await end(studio, recorder, session, monkeypatch)
        await studio.sealed(session, seconds=40)
        os.kill(own_livekit.pid, signal.SIGCONT)
    gaps = [
        (record.document["code"], record.start_sample / 48_000, record.end_sample / 48_000)
        for _, data in await studio.segments(session)
        for record in read_segment(data).records
        if record.kind == RecordKind.GAP
    ]
    outage = [(start, end) for code, start, end in gaps if code == "gap.rejoin"]
    assert outage, gaps
    assert max(end for _, end in outage) - min(start for start, _ in outage) >= AWAY_SECONDS - 0.5
