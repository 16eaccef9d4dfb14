"""A segment that a storage loses while its session is still running, in a real room."""

from pathlib import Path

from sqlalchemy import text

from audio.segments.segments import SegmentKey
from sessions.ids import format_id
from store.installation.storage_identity import StorageIdentity
from store.outputs.freeze import Freezes
from store.runs.run_segments import RunSegments
from tests.integration.worker.studio import Studio, until
from tests.support.talkers.beeps import BeepPlan, BeepTalker
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.finalizer import Finalizer

SAMPLES_PER_MS = 48


async def test_a_segment_that_is_lost_while_the_session_runs_is_a_gap(
    studio: Studio, room: str, tmp_path: Path
) -> None:
    """The seal knows all that was stored, and the recording is incomplete for as long as the lost one was."""
    session = await studio.create(room)
    prefix = f"spool/{format_id('sess', session.id)}"

    async def three() -> list[str]:
        keys = [key for key, _ in await studio.objects.list(prefix)]
        return keys if len(keys) >= 3 else []

    async with studio.recorder(), BeepTalker(studio.livekit.url, studio.token(room, "ann"), BeepPlan(700.0)):
        _, lost, _, *_ = await until(three)
        await studio.objects.delete(lost)
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
    async with studio.db.begin() as conn:
        document = (
            await conn.execute(text("SELECT segments FROM runs WHERE session_id = :id"), {"id": session.id})
        ).scalar_one()
    stored = RunSegments.of(document)
    left = [key.removeprefix(f"{prefix}/") for key, _ in await studio.objects.list(prefix)]
    assert sorted([*left, lost.removeprefix(f"{prefix}/")]) == sorted(segment.name for segment in stored.stored)
    assert stored.count == len(stored.stored)
    assert not list((studio.settings.data_dir / "spool").rglob("stored"))
    finalizer = Finalizer(
        Freezes(studio.db),
        studio.objects,
        StorageIdentity(studio.db, studio.objects).confirm,
        Leftovers(studio.db, studio.objects),
        temporary=tmp_path / "tmp",
        salvage_seconds=60,
    )
    await finalizer.finalize(session.id)
    recording = await studio.sessions.queries.recording(studio.organization_id, session.id)
    key = SegmentKey.parse(lost.removeprefix(f"{prefix}/"))
    expected = (key.first_sample // SAMPLES_PER_MS, -(-key.last_sample // SAMPLES_PER_MS))
    gaps = [(gap["start_ms"], gap["end_ms"]) for gap in recording.gaps or [] if gap["code"] == "gap.storage"]
    assert [expected] == gaps
    assert (recording.state, recording.reason) == ("incomplete", "gap.storage")
