"""Speech of sessions that run: real spools, the real voice gate, the real log; an engine that counts."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import soxr

from audio.pcm import SAMPLE_RATE, SPEECH_RATE, Pcm
from audio.placing.timeline import Placed
from audio.segments.track_tally import TrackLabel
from audio.track_audio import TrackPiece
from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.lifecycle.stop import Stop
from sessions.settings import Settings
from sessions.texts.transcript import Transcript
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.outputs.live_transcripts import HELD_SECONDS, HeardSoFar, HeldSession, LiveTranscripts
from store.runs.fence import Fence
from store.sessions.log.session_log import NewLogEntry, SessionLog
from tests.support.running.engine import Engine
from tests.support.talkers.spoken import SpokenSessions, clip
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.finalizer import Finalizer
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.engines.engine import Recognized, SpeechError
from worker.outputs.speech.live.follower import LiveFollower
from worker.outputs.speech.transcriber import Transcriber
from worker.outputs.speech.utterances import find_utterances
from worker.outputs.speech.voice_detector import VoiceModel
from worker.spool.run_folder import RunFolder
from worker.spool.run_spool import RunSpool
from worker.spool.spool_folder import open_spool_folder
from worker.spool.spool_writer import SealedSegment, SpoolWriter

BLOCK = SAMPLE_RATE // 10
HOST = "host"  # as `Engine.claim` says
PADDING_MS = 400  # of an utterance, which is silence where the recording ends


@dataclass
class Listener:
    """Stands for an engine: says which of its answers this is."""

    asked: int = 0
    failures: list[SpeechError] = field(default_factory=list)

    async def recognize(self, _: Pcm, __: str | None = None) -> Recognized:
        """The next answer."""
        if self.failures:
            raise self.failures.pop()
        self.asked += 1
        return Recognized(f"answer {self.asked}", 0.9, (), "en")


class SaysNothing(SpeechEngines):
    """Must not be asked."""

    async def open(self) -> Any:
        """Fail."""
        pytest.fail("an engine was asked for what is in the log")


@dataclass
class Scene:
    """A session that is being recorded on this host."""

    engine: Engine
    objects: Objects
    folder: Path
    fence: Fence
    writer: SpoolWriter
    stack: ExitStack
    model: VoiceModel
    listener: Listener = field(default_factory=Listener)
    sealed: list[SealedSegment] = field(default_factory=list)
    tracks: int = 0

    def __post_init__(self) -> None:
        self.spool = self.recorder(self.fence)

    @property
    def session_id(self) -> UUID:
        """Of the session."""
        return self.fence.session_id

    def recorder(self, fence: Fence) -> RunSpool:
        """The spool of a run."""
        owner_folder = self.stack.enter_context(open_spool_folder(self.folder, fence.owner))
        run = RunFolder.open(owner_folder, fence)
        return RunSpool(
            self.writer, run, segment_seconds=2, on_sealed=self.sealed.append, on_failed=lambda code: pytest.fail(code)
        )

    def says(self, identity: str, second: float, pcm: Pcm, sid: str | None = None) -> None:
        """Record what somebody says from that second on, a track of their own each time."""
        self.say({identity: (second, pcm)}, sid)

    def say(self, turns: dict[str, tuple[float, Pcm]], sid: str | None = None) -> None:
        """Several at once, frame by frame."""
        frames = []
        for identity, (second, pcm) in turns.items():
            self.tracks += 1
            label = TrackLabel(identity, "microphone", sid or f"TR_{identity}", speaker=identity.title())
            self.spool.add_track(self.tracks, label)
            start = round(second * SAMPLE_RATE)
            frames += [(start + at, self.tracks, pcm[at : at + BLOCK]) for at in range(0, len(pcm), BLOCK)]
        for at, track, frame in sorted(frames, key=lambda one: one[0]):
            self.spool.audio(track, Placed(at, at + len(frame), frame))
        self.writer.flush(timeout_seconds=5)

    async def upload(self) -> None:
        """Seal everything and move it to the object storage, as an uploader does."""
        await self.spool.close()
        await asyncio.sleep(0)
        for segment in self.sealed:
            key = f"spool/{format_id('sess', self.session_id)}/{segment.key.name}"
            await self.objects.put_create(key, segment.path.read_bytes())
            segment.path.unlink()
        self.sealed.clear()

    @property
    def live(self) -> LiveTranscripts:
        """Of the database."""
        return LiveTranscripts(self.engine.db)

    async def held(self, owner: UUID | None = None) -> HeldSession:
        """This session, taken by somebody."""
        [session] = await self.live.hold(owner or uuid4(), HOST, 10)
        return session

    async def owner(self) -> UUID:
        """Who follows it."""
        [row] = await self.engine.sql("SELECT owner FROM live_transcripts WHERE session_id = :id", id=self.session_id)
        owner: UUID = row.owner
        return owner

    async def follower(self) -> LiveFollower:
        """Another one, which begins where the last one came to."""
        await self.engine.sql("UPDATE live_transcripts SET held_until = now() - interval '1 hour'")
        hearing = self.stack.enter_context(ThreadPoolExecutor(1))
        log = SessionLog(self.engine.db)
        return LiveFollower(
            await self.held(),
            self.folder / "spool",
            self.objects,
            log,
            self.model,
            self.listener.recognize,
            hearing,
        )

    async def transcript(self) -> Transcript:
        """As a reader has it."""
        return await SpokenSessions(self.engine, self.objects, self.folder).transcripts.read(
            await self.engine.session(self.session_id)
        )

    async def lines(self) -> list[tuple[str | None, str]]:
        """Who says what in the transcript."""
        return [(one.identity, one.text) for one in (await self.transcript()).segments]

    async def end(self, heard_ms: int, second: float) -> None:
        """End the session, and finalize it."""
        await self.live.note(self.session_id, await self.owner(), HeardSoFar(heard_ms, "en", "tiny-en"))
        started_at = (await self.engine.session(self.session_id)).started_at
        assert started_at is not None
        await self.upload()
        at = started_at + timedelta(seconds=second)
        await self.engine.runs.enter_ending(self.fence, Stop.ended("end.requested", at=at))
        await self.engine.runs.seal(self.fence)
        confirm = StorageIdentity(self.engine.db, self.objects).confirm
        leftovers = Leftovers(self.engine.db, self.objects)
        finalizer = Finalizer(
            self.engine.freezes, self.objects, confirm, leftovers, temporary=self.folder / "tmp", salvage_seconds=60
        )
        await finalizer.finalize(self.session_id)

    async def close(self, engines: SpeechEngines) -> None:
        """Close the transcript, as the job does."""
        spoken = SpokenSessions(self.engine, self.objects, self.folder)
        job = Transcriber(
            spoken.transcripts,
            self.engine.freezes,
            SessionLog(self.engine.db),
            self.objects,
            StorageIdentity(self.engine.db, self.objects).confirm,
            engines,
            self.live,
            Leftovers(self.engine.db, self.objects),
            deadline_seconds=86400,
        )
        await job.transcribe(self.session_id)


@pytest.fixture(scope="module")
def model() -> VoiceModel:
    """Opened once."""
    return VoiceModel()


@asynccontextmanager
async def scene_of(engine: Engine, folder: Path, model: VoiceModel) -> AsyncIterator[Scene]:
    """A session that has been running for a minute."""
    fence = await engine.running(transcription_mode="live")
    await engine.pass_seconds(60)
    await engine.beat(fence)
    objects = Objects.open((folder / "objects").as_uri())
    with SpoolWriter(write_seconds=0.01) as writer, ExitStack() as stack:
        yield Scene(engine, objects, folder, fence, writer, stack, model)


@pytest.fixture
async def scene(database_url: str, tmp_path: Path, model: VoiceModel) -> AsyncIterator[Scene]:
    """Everything fresh."""
    async with Engine.open(database_url) as engine, scene_of(engine, tmp_path, model) as scene:
        yield scene


def no_engine() -> SaysNothing:
    """For what must be done already."""
    return SaysNothing(Settings(speech_engine="moonshine"))


async def test_what_is_said_is_in_the_transcript_while_the_session_runs(scene: Scene) -> None:
    """Read from the open segment, in the place where it was spoken; the end finds it done and asks no engine."""
    follower = await scene.follower()
    alice, half = clip("3_alice"), len(clip("3_alice")) // 2 // BLOCK * BLOCK
    scene.say({"alice": (60.0, alice[:half]), "bob": (60.0, clip("4_bob"))})
    await follower.step()
    scene.says("alice", 60.0 + half / SAMPLE_RATE, alice[half:])
    await follower.step()
    scene.says("carol", 70.0, np.zeros(SAMPLE_RATE, dtype=np.int16))
    await catch_up(follower)
    running = await scene.transcript()
    assert running.state == "open"
    assert {"alice", "bob"} == {one.identity for one in running.segments}
    assert all(59_700 <= one.start_ms < one.end_ms < 65_500 for one in running.segments)
    asked = scene.listener.asked
    await follower.step()
    assert asked == scene.listener.asked == 2, "neither is parted where the follower looked"

    await scene.engine.pass_seconds(30)
    await scene.engine.beat(scene.fence)
    await scene.end(follower.heard_ms, 75)
    await scene.close(no_engine())
    closed = await scene.transcript()
    assert (closed.state, closed.engine, closed.model, closed.language) == ("available", "moonshine", "tiny-en", "en")
    assert closed.segments == running.segments
    assert await scene.objects.list(f"spool/{format_id('sess', scene.session_id)}") == []


async def test_an_end_in_the_middle_of_a_sentence_leaves_that_sentence_to_the_job(scene: Scene) -> None:
    """What was spoken past the end is in no transcript; what came before is told once."""
    follower = await scene.follower()
    scene.says("alice", 20.0, clip("3_alice"))
    await follower.step()
    scene.says("bob", 50.0, clip("4_bob"), "TR_2")
    before = await scene.lines()
    await scene.end(follower.heard_ms, 51.5)
    job = SpeechEngines(Settings(speech_engine="moonshine"))
    await scene.close(job)
    last = (await scene.transcript()).segments[-1]
    assert (last.identity, last.end_ms <= 51_500 + PADDING_MS) == ("bob", True)
    assert before == (await scene.lines())[: len(before)]


async def test_what_is_spoken_past_the_end_is_not_logged(scene: Scene) -> None:
    """A follower may have heard it before it learned of the end. Once the transcript is closed, nothing is."""
    await scene.held()
    await scene.end(0, 51.5)
    started_at = (await scene.engine.session(scene.session_id)).started_at
    assert started_at is not None
    log = SessionLog(scene.engine.db)
    entry = NewLogEntry(kind="segment", role="user", text="Bye.", source="speech", identity="bob", start_ms=50_000)
    since, until = (started_at + timedelta(seconds=seconds) for seconds in (50, 52))
    assert not await log.append_spoken(scene.session_id, entry, since, until)
    assert await scene.lines() == []
    assert await log.append_spoken(scene.session_id, entry, since, until - timedelta(seconds=1))
    assert await scene.lines() == [("bob", "Bye.")]
    await scene.engine.sql("UPDATE transcripts SET state = 'available'")
    assert not await log.append_spoken(scene.session_id, entry, since, until - timedelta(seconds=1))
    assert await scene.lines() == [("bob", "Bye.")]


async def test_a_follower_on_another_host_hears_what_is_stored(scene: Scene) -> None:
    """Whoever takes over goes on where the log ends, and a segment that came late is waited for."""
    scene.says("alice", 5.0, clip("3_alice"))
    await scene.upload()
    follower = await scene.follower()
    await follower.step()
    first = await scene.lines()
    assert {"alice"} == {identity for identity, _ in first}
    asked = scene.listener.asked
    await scene.live.note(scene.session_id, await scene.owner(), HeardSoFar(follower.heard_ms, "en"))

    scene.says("bob", 45.0, clip("4_bob"))
    await scene.upload()
    successor = await scene.follower()
    await successor.step()
    lines = await scene.lines()
    assert lines[: len(first)] == first
    assert {"bob"} == {identity for identity, _ in lines[len(first) :]}
    assert scene.listener.asked - asked == len(lines) - len(first)


async def catch_up(follower: LiveFollower) -> None:
    """A step hears some seconds."""
    for _ in range(10):
        await follower.step()


def nonstop(seconds: int) -> Pcm:
    """Somebody who never breathes: where it is parted depends on where one begins to listen."""
    talk = clip("1_alice")
    return np.tile(talk[np.abs(talk) > 300], 30)[: seconds * SAMPLE_RATE]


async def test_a_successor_parts_nonstop_speech_as_the_first_would_have(scene: Scene) -> None:
    """In mid-speech: no word is told twice, none is left out, and neither by the job at the end."""
    talk, begun, half = nonstop(50), 40, 30 * SAMPLE_RATE  # it still goes on when the minute is over
    scene.says("alice", begun, talk[:half])
    first = await scene.follower()
    await catch_up(first)
    told = len(await scene.lines())
    assert told >= 2
    await scene.live.note(scene.session_id, await scene.owner(), HeardSoFar(first.heard_ms, "en"))
    await scene.engine.pass_seconds(40)
    await scene.engine.beat(scene.fence)
    await scene.upload()
    scene.says("alice", begun + half / SAMPLE_RATE, talk[half:])

    successor = await scene.follower()
    await catch_up(successor)
    assert scene.listener.asked > told
    await scene.end(successor.heard_ms, 95)
    await scene.close(SpeechEngines(Settings(speech_engine="moonshine")))
    track = TrackPiece(
        TrackLabel("alice", "microphone", "TR_alice", speaker="Alice"),
        begun * SPEECH_RATE,
        soxr.resample(talk, SAMPLE_RATE, SPEECH_RATE),
    )
    whole = await asyncio.to_thread(list, find_utterances([[track]]))
    session = await scene.engine.session(scene.session_id)
    entries = await SessionLog(scene.engine.db).all(session.organization_id, scene.session_id)
    starts = [int((one.external_id or "").rpartition("/")[2]) for one in entries]
    assert len(starts) == len(whole)
    assert all(abs(start - one.start_sample) <= 16 for start, one in zip(starts, whole, strict=True)), "a millisecond"


async def test_somebody_who_comes_back_is_heard_on_every_track(scene: Scene) -> None:
    """The same identity under another track id, a minute later: both are theirs."""
    follower = await scene.follower()
    scene.says("alice", 5.0, clip("3_alice"), "TR_1")
    scene.says("alice", 45.0, clip("3_alice"), "TR_2")
    await follower.step()
    starts = [one.start_ms // 1000 for one in (await scene.transcript()).segments if one.identity == "alice"]
    assert {4, 5} & set(starts)
    assert {44, 45} & set(starts)


async def test_what_a_pause_overlaps_is_not_logged_while_it_runs(scene: Scene) -> None:
    """The recorder may not have heard of the pause; the job hears what was said before it."""
    follower = await scene.follower()
    scene.says("alice", 50.0, clip("3_alice"))
    await scene.engine.sql(
        "INSERT INTO session_pauses (session_id, paused_at)"
        " SELECT id, started_at + interval '51500 ms' FROM sessions WHERE id = :id",
        id=scene.session_id,
    )
    await follower.step()
    assert await scene.lines() == []
    assert follower.heard_ms <= 50_000
    await scene.end(follower.heard_ms, 58)
    await scene.close(SpeechEngines(Settings(speech_engine="moonshine")))
    [segment] = (await scene.transcript()).segments
    assert 49_700 <= segment.start_ms < segment.end_ms <= 51_500 + PADDING_MS


async def test_an_agents_own_text_wins(scene: Scene) -> None:
    """Also of what was recognized before its first text came; no line is there twice."""
    follower = await scene.follower()
    scene.say({"agent-1": (5.0, clip("3_alice")), "bob": (5.0, clip("4_bob"))})
    await follower.step()
    assert {"agent-1", "bob"} == {identity for identity, _ in await scene.lines()}
    own = NewLogEntry(
        kind="segment", role="assistant", text="As I say.", source="lk.transcription", identity="agent-1", start_ms=5000
    )
    await SessionLog(scene.engine.db).append(scene.session_id, [own])
    lines = await scene.lines()
    assert [line for line in lines if line[0] == "agent-1"] == [("agent-1", "As I say.")]
    assert "bob" in {identity for identity, _ in lines}
    asked = scene.listener.asked
    scene.says("agent-1", 50.0, clip("3_alice"), "TR_agent-1")
    await asyncio.sleep(1.1)  # it looks into the log once a second
    await follower.step()
    assert asked == scene.listener.asked


async def test_what_the_engine_could_not_do_is_left_to_the_job(scene: Scene) -> None:
    """A busy endpoint: the others go on; the job hears from there on and logs what is missing."""
    follower = await scene.follower()
    scene.listener.failures.append(SpeechError("speech.engine_failed", "busy"))
    scene.say({"alice": (5.0, clip("3_alice")), "bob": (30.0, clip("4_bob"))})
    await follower.step()
    assert {"bob"} == {identity for identity, _ in await scene.lines()}
    assert follower.heard_ms <= 5000
    await scene.end(follower.heard_ms, 58)
    await scene.close(SpeechEngines(Settings(speech_engine="moonshine")))
    lines = await scene.lines()
    assert {"alice", "bob"} == {identity for identity, _ in lines}
    assert len([line for line in lines if line[0] == "bob"]) == 1


async def test_an_engine_that_does_not_know_the_language_ends_the_following(scene: Scene) -> None:
    """It is said once, not every sentence."""
    follower = await scene.follower()
    scene.listener.failures.append(SpeechError("speech.language_unsupported", "English only"))
    scene.says("alice", 5.0, clip("3_alice"))
    with pytest.raises(ParleyError, match="English only"):
        await follower.step()


async def test_a_gap_and_a_track_without_sound_say_nothing(scene: Scene) -> None:
    """A track that is encrypted leaves gaps only; a hole in a track is a pause of that length."""
    follower = await scene.follower()
    scene.spool.gap("gap.encrypted", 0, 30 * SAMPLE_RATE, "carol")
    scene.says("quiet", 1.0, np.zeros(5 * SAMPLE_RATE, dtype=np.int16))
    scene.says("alice", 30.0, clip("3_alice"), "TR_1")
    await follower.step()
    assert {"alice"} == {identity for identity, _ in await scene.lines()}
    assert (await scene.transcript()).segments[0].start_ms >= 29_700


async def test_one_process_follows_a_session_the_recorders_host_first(scene: Scene) -> None:
    """Others take it when nobody has it for some seconds; sessions that want no live transcript are nobody's."""
    for columns in ({"transcription_mode": "after"}, {"transcription_mode": "live", "quality": "mock"}):
        await scene.engine.running(**columns)
    fresh = await scene.engine.running(transcription_mode="live")
    near, far = uuid4(), uuid4()
    assert [scene.session_id] == [one.id for one in await scene.live.hold(far, "elsewhere", 10)]
    assert [fresh.session_id] == [one.id for one in await scene.live.hold(near, HOST, 10)]
    assert [scene.session_id] == [one.id for one in await scene.live.hold(far, "elsewhere", 10)]
    await scene.live.let_go(far)
    both = {scene.session_id, fresh.session_id}
    assert both == {one.id for one in await scene.live.hold(near, HOST, 10)}
    assert await scene.live.hold(far, "elsewhere", 10) == []
    await scene.engine.sql(
        "UPDATE live_transcripts SET held_until = held_until - make_interval(secs => :seconds)",
        seconds=HELD_SECONDS + 7,
    )
    assert both == {one.id for one in await scene.live.hold(far, "elsewhere", 10)}
    await scene.live.note(fresh.session_id, near, HeardSoFar(5000))
    assert (await scene.live.heard(fresh.session_id)).heard_ms == 0, "who lost it says nothing"
    await scene.live.note(fresh.session_id, far, HeardSoFar(5000))
    assert (await scene.live.heard(fresh.session_id)).heard_ms == 5000
