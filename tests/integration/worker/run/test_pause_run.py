"""Pauses in a real room: nothing of them in spool, storage or bill, and the file tells where they were."""

import asyncio
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audio.segments.segments import RecordKind, read_segment
from sessions.session import Session
from store.installation.storage_identity import StorageIdentity
from store.outputs.freeze import Freezes
from tests.integration.worker.studio import Studio, seconds_between
from tests.support.running.file_tree import contents_below
from tests.support.running.stack import eventually
from tests.support.talkers.beeps import BeepPlan, BeepTalker
from worker.lease.beats import Beats
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.finalizer import Finalizer

RATE = 48_000
PLAN = BeepPlan(700.0)


async def create(studio: Studio, room: str, on_pause: str) -> Session:
    """A session whose pauses become `on_pause`."""
    session: Session = await studio.create(room)
    async with studio.db.begin() as conn:
        from sqlalchemy import text

        await conn.execute(
            text("UPDATE sessions SET on_pause = :how WHERE id = :id"), {"how": on_pause, "id": session.id}
        )
    return session


async def finalize(studio: Studio, session: Session, folder: Path) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The recording's samples and gaps."""
    finalizer = Finalizer(
        Freezes(studio.db),
        studio.objects,
        StorageIdentity(studio.db, studio.objects).confirm,
        Leftovers(studio.db, studio.objects),
        temporary=folder,
        salvage_seconds=60,
    )
    await finalizer.finalize(session.id)
    recording = await studio.sessions.queries.recording(studio.organization_id, session.id)
    data = await studio.objects.get(recording.object_key or "")
    samples, _ = soundfile.read(io.BytesIO(data), dtype="int16")
    assert recording.duration_ms == len(samples) * 1000 // RATE
    return samples, recording.gaps or []


def spans(segments: list[bytes]) -> list[tuple[int, int]]:
    """Every stretch of audio in these segments."""
    return [
        (record.start_sample, record.end_sample)
        for data in segments
        for record in read_segment(data).records
        if record.kind == RecordKind.AUDIO
    ]


def spooled(folder: Path) -> list[bytes]:
    """Every spool file that is on the disk now."""
    return [
        data
        for path, data in contents_below(folder / "spool")
        if path.suffix in (".seg", ".open", ".cut") and len(data) > 40
    ]


def sample(session: Session, at: datetime | None) -> int:
    return round(seconds_between(session.started_at, at) * RATE)


@pytest.mark.parametrize("on_pause", ["silence", "cut"])
async def test_two_pauses_leave_no_trace_but_their_gaps(
    studio: Studio, room: str, tmp_path: Path, on_pause: str
) -> None:
    """Beeps before, between and after; silence or nothing where it was paused; billed is the rest."""
    session = await create(studio, room, on_pause)
    pauses: list[tuple[datetime, datetime]] = []
    async with studio.recorder(), BeepTalker(studio.livekit.url, studio.token(room, "ann"), PLAN):
        await studio.reaches(session, "running")
        for _ in range(2):
            await asyncio.sleep(3)
            paused = await studio.sessions.commands.pause(studio.organization_id, session.id)
            await asyncio.sleep(3)
            assert paused.paused_at is not None
            start = sample(paused, paused.paused_at)
            now_spooled = spans(spooled(studio.settings.data_dir))
            assert max((end for _, end in now_spooled), default=0) <= start
            resumed = await studio.sessions.commands.resume(studio.organization_id, session.id)
            pauses.append((paused.paused_at, resumed.updated_at))
        await asyncio.sleep(3)
        ended = await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
    ended = await studio.get(session)
    cuts = [(sample(ended, start), sample(ended, end)) for start, end in pauses]
    stored = spans([data for _, data in await studio.segments(session)])
    length = sample(ended, ended.ending_at)
    for start, end in cuts:
        assert not [span for span in stored if span[0] < end - 1 and start + 1 < span[1]]
    paused_samples = sum(end - start for start, end in cuts)
    pcm, gaps = await finalize(studio, session, tmp_path / "tmp")
    paused_gaps = [(gap["start_ms"], gap["end_ms"]) for gap in gaps if gap["code"] == "gap.paused"]
    billed = (await studio.get(session)).usage.billable_ms  # a beat may bill past the end's stamp until the freeze
    assert abs(billed - (length - paused_samples) / 48) <= 3  # whole ms of each stretch
    if on_pause == "silence":
        assert abs(len(pcm) - length) <= 2
        for start, end in cuts:
            assert not pcm[start + 2 : end - 2].any()
        expected = cuts
        talked = [(0, cuts[0][0]), (cuts[0][1], cuts[1][0]), (cuts[1][1], length)]
    else:
        assert abs(len(pcm) - (length - paused_samples)) <= 4
        first = cuts[0][0]
        second = cuts[1][0] - (cuts[0][1] - cuts[0][0])
        expected = [(first, first), (second, second)]
        talked = [(0, first), (first, second), (second, len(pcm))]
    assert len(paused_gaps) == 2
    for (start, end), (start_ms, end_ms) in zip(expected, paused_gaps, strict=True):
        assert abs(start / 48 - start_ms) < 2
        assert -1 < end_ms - end / 48 < 500  # until speech is there again, which takes longer on a busy machine
    for start, end in talked:
        assert np.abs(pcm[start:end].astype(int)).max() > 1000, (start, end)


async def test_a_successor_in_a_pause_keeps_nothing_before_its_first_beat(
    studio: Studio, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the session is paused it knows from its join; no beat has told it yet."""
    session = await create(studio, room, "silence")
    answered = asyncio.Event()
    beat = Beats._beat

    async def late(beats: Beats) -> bool:
        await answered.wait()
        return await beat(beats)

    async with BeepTalker(studio.livekit.url, studio.token(room, "ann"), PLAN):
        async with studio.recorder():
            await studio.reaches(session, "running")
            await asyncio.sleep(1)
            paused = await studio.sessions.commands.pause(studio.organization_id, session.id)
            assert paused.paused_at is not None
            await asyncio.sleep(0.5)
        monkeypatch.setattr(Beats, "_beat", late)
        async with studio.recorder(stalled_seconds=30) as successor:

            async def records() -> bool:
                return bool(successor.process.figures.sessions_running == 1)

            await eventually(records, seconds=20)
            await asyncio.sleep(3)
            kept = spans(spooled(studio.settings.data_dir))
            answered.set()
            await studio.sessions.commands.end(studio.organization_id, session.id)
            await studio.sealed(session, 2)
    assert max((end for _, end in kept), default=0) <= sample(paused, paused.paused_at)
