"""Of several talkers, who is missing, and for how long: after a takeover, and after a standstill."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from audio.pcm import Pcm
from audio.segments.segments import RecordKind, read_segment
from store.database.boot_clock import SECOND_NS
from store.database.clock import ClockPair
from store.runs.fence import Fence
from worker.capture.recorder import Recorder
from worker.clock.session_clock import SessionClock
from worker.room.events import RemoteTrack
from worker.room.room_reading import TrackReading
from worker.spool.run_folder import RunFolder
from worker.spool.run_spool import RunSpool
from worker.spool.spool_folder import open_spool_folder
from worker.spool.spool_writer import SealedSegment, SpoolWriter

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
FRAME = 4800


class Scene:
    """A recorder whose tracks get frames of 100 ms at instants in seconds."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.gaps: list[tuple[str, float, float, str | None]] = []
        self.lasting: list[bool] = []  # whether each was still open
        self._push: dict[str, Callable[[int, Pcm], None]] = {}
        self._sids: dict[str, str] = {}

    def open(self, *identities: str, at_join: bool, room: str = "") -> None:
        """A track each; in another room it is another track."""
        for identity in identities:
            self._sids[identity] = room + identity
            remote = RemoteTrack(self._sids[identity], identity, "", at_join=at_join)
            self._push[identity] = self.recorder.open_track(remote)

    def frames(self, identity: str, *seconds: float) -> None:
        """Arrive at these instants."""
        for second in seconds:
            self._push[identity](round(second * SECOND_NS), np.ones(FRAME, dtype=np.int16))

    def torn_from(self, second: float, *identities: str) -> set[str]:
        """Who is told to be torn when everybody, or these, are heard for 0.5 s through a jitter buffer that settles."""
        made_up = []
        for identity in identities or self._push:
            self.frames(identity, *(second + step / 10 for step in range(1, 6)))
        for number, later in enumerate((0.2, 0.5)):
            settling = TrackReading(0, 9_600 * number + 960, 0.0, 10 * number + 1, 0, 9_600 * number)
            readings = dict.fromkeys((self._sids[identity] for identity in identities or self._push), settling)
            made_up += self.recorder.read(readings, round((second + later) * SECOND_NS))
        made_up += self.recorder.give_up(round((second + 0.6) * SECOND_NS))
        return {stretch.identity for stretch in made_up}


@asynccontextmanager
async def scene(tmp_path: Path, takeover: str | None) -> AsyncIterator[Scene]:
    """Its gaps are known after the block."""
    sealed: list[SealedSegment] = []
    owner = uuid.uuid4()
    clock = SessionClock(STARTED, ClockPair(STARTED, boottime_ns=0, uncertainty_ns=0))
    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter() as writer:
        spool = RunSpool(
            writer,
            RunFolder.open(folder, Fence(uuid.uuid4(), 2, owner)),
            segment_seconds=60,
            on_sealed=sealed.append,
            on_failed=pytest.fail,
        )
        one = Scene(Recorder(clock, spool, lambda _seconds: None, takeover=takeover))
        yield one
        one.recorder.close_tracks()
        await spool.close()
        for segment in sealed:
            for record in read_segment(segment.path.read_bytes()).records:
                if record.kind == RecordKind.GAP:
                    document = record.document
                    span = (record.start_sample / 48_000, record.end_sample / 48_000)
                    one.gaps.append((document["code"], *span, document.get("identity")))
                    one.lasting.append(document.get("lasts", False))


async def test_who_is_heard_later_after_a_takeover_has_a_gap_of_their_own(tmp_path: Path) -> None:
    """Unless they came later, or this run is the first."""
    async with scene(tmp_path / "second", "gap.worker_lost") as second:
        second.open("ann", "bob", at_join=True)
        second.open("carl", at_join=False)
        second.frames("ann", 10.1, 10.2)
        second.frames("bob", 10.7, 10.8)
        second.frames("carl", 12.1)
    assert second.gaps == [("gap.worker_lost", 10.0, 10.6, "bob")]

    async with scene(tmp_path / "first", None) as first:
        first.open("ann", "bob", at_join=True)
        first.frames("ann", 0.1)
        first.frames("bob", 0.7)
    assert first.gaps == []


@pytest.mark.parametrize(("takeover", "torn"), [("gap.worker_lost", {"ann"}), (None, set())])
async def test_only_whom_another_run_heard_is_torn_by_a_new_jitter_buffer(
    tmp_path: Path, takeover: str | None, torn: set[str]
) -> None:
    """Who comes after the takeover, and everybody where there was none, is told like anybody else."""
    async with scene(tmp_path, takeover) as one:
        one.open("ann", at_join=True)
        one.open("carl", at_join=False)
        assert one.torn_from(10) == torn


async def test_whoever_was_heard_right_before_is_torn_by_a_new_jitter_buffer(tmp_path: Path) -> None:
    """In the room that was lost, or in a subscription that has ended; who was not heard before is told as always."""
    async with scene(tmp_path, None) as one:
        one.open("ann", "bob", "carl", at_join=False)
        assert one.torn_from(10, "ann", "bob") == set()
        for identity in ("bob", "carl"):
            one.recorder.close_track(identity)
            one.open(identity, at_join=False)
        assert one.torn_from(12) == {"bob"}
        one.recorder.close_tracks()
        one.recorder.close_tracks()  # the next room is lost before anybody is heard in it
        one.open("ann", "dora", at_join=True, room="next")
        one.open("bob", at_join=False, room="next")
        assert one.torn_from(14, "ann", "bob", "dora") == {"ann"}, "bob has published anew"


async def test_nor_has_anybody_after_the_room_was_lost(tmp_path: Path) -> None:
    """What the next room costs is told otherwise."""
    async with scene(tmp_path, "gap.rejoin") as one:
        one.open("ann", at_join=True)
        one.recorder.close_tracks()
        one.open("ann", "bob", at_join=True)
        one.frames("ann", 10.1)
        one.frames("bob", 10.7)
    assert one.gaps == []


async def test_a_standstill_cost_everybody_what_it_cost_each(tmp_path: Path) -> None:
    """What only some miss is theirs; who has said nothing misses nothing."""
    async with scene(tmp_path, None) as one:
        one.open("ann", "bob", "dumb", at_join=False)
        one.frames("ann", *(1 + step / 10 for step in range(10)))
        assert one.recorder.missed(2 * SECOND_NS, 6 * SECOND_NS) is None, "no frame of ann has come yet"
        one.frames("ann", 6.1, 6.2)
        assert one.recorder.missed(2 * SECOND_NS, 6 * SECOND_NS) is None, "no reading has told of it yet"
        one.recorder.give_up(7 * SECOND_NS)
        assert one.recorder.missed(2 * SECOND_NS, 6 * SECOND_NS) == (round(1.9 * SECOND_NS), 7 * SECOND_NS)
        one.frames("bob", 7.1)
        assert one.recorder.missed(2 * SECOND_NS, 6 * SECOND_NS) == (2 * SECOND_NS, 6 * SECOND_NS)
    assert one.gaps == [], "the run tells them"


async def test_a_gap_lasts_and_ends_as_it_was_told_but_for_pauses(tmp_path: Path) -> None:
    """One of no length says that a gap begins there, or has ended; nothing is told of a pause."""
    second = 48_000
    async with scene(tmp_path, None) as one:
        one.recorder.leave_out(((4 * second, 6 * second), (9 * second, 12 * second)))
        for start, end, lasts in (
            (1, 1, True),
            (1, 2, True),
            (2, 2, False),
            (3, 8, True),
            (8, 10, True),
            (11, 11, False),
        ):
            one.recorder.gap("gap.rejoin", start * second, end * second, lasts=lasts)
    told = [(start, end, lasts) for (_, start, end, _), lasts in zip(one.gaps, one.lasting, strict=True)]
    assert told == [(1, 1, True), (1, 2, True), (2, 2, False), (3, 4, False), (6, 8, True), (8, 9, False)]
