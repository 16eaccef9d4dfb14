"""What is said in a pause is nowhere, whatever dies meanwhile: while it is confidential, talkers change the pitch."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audio.segments.segments import RecordKind, read_segment
from sessions.ids import parse_id
from sessions.texts.timestamps import format_timestamp, parse_timestamp
from tests.support.rules.bill import assert_balances
from tests.support.running.file_tree import contents_below, paths_below
from tests.support.running.recording_process import recorder_of
from tests.support.running.stack import Stack, eventually
from tests.support.services.postgres_cluster import PostgresCluster
from tests.support.talkers.beeps import BeepPlan, BeepTalker, find_beeps

RATE = 48_000
PLAN = BeepPlan(pitch_hz=700, period_seconds=0.5)
SECRET = BeepPlan(pitch_hz=1900, period_seconds=0.5)  # what is only said in pauses
# What a talker's queue and the jitter buffer hold back; a stretch that is checked for beeps begins so much later.
_LAG_SECONDS = 2.0


@dataclass
class Paused:
    """A session that was paused, on its clock: milliseconds since `started_at`."""

    id: str
    started_at: datetime
    paused_ms: float
    resumed_ms: float = 0.0
    ending_ms: float = 0.0

    def at(self, time: str) -> float:
        """A stamp of the resource on the session's clock."""
        return (parse_timestamp(time) - self.started_at) / timedelta(milliseconds=1)


async def pause(stack: Stack, session_id: str) -> Paused:
    """Pause a running session; its stamp is in the answer."""
    status, session = await stack.call("POST", f"/v1/sessions/{session_id}/pause")
    assert (status, session["status"]) == (200, "paused"), session
    paused = Paused(session_id, parse_timestamp(session["started_at"]), 0)
    paused.paused_ms = paused.at(session["paused_at"])
    return paused


async def resume(stack: Stack, paused: Paused) -> None:
    """Resume it; the stamp is the transition's."""
    status, session = await stack.call("POST", f"/v1/sessions/{paused.id}/resume")
    assert (status, session["status"]) == (200, "running"), session
    _, timeline = await stack.call("GET", f"/v1/sessions/{paused.id}/timeline")
    moves = [move for move in timeline["data"] if (move["status_from"], move["status_to"]) == ("paused", "running")]
    [at] = [move["occurred_at"] for move in moves]
    paused.resumed_ms = paused.at(at)


async def end(stack: Stack, paused: Paused, how: str = "end") -> dict[str, Any]:
    """End or cancel it, and wait for the recording."""
    status, _ = await stack.call("POST", f"/v1/sessions/{paused.id}/{how}")
    assert status == 200
    ended = await stack.reach(paused.id, "ended", "canceled", "failed")
    paused.ending_ms = paused.at(ended["ending_at"])
    return ended


def stretches(folder: Path, session_id: str) -> list[tuple[float, float]]:
    """Every stretch of audio of the session in every file below `folder`, spools and stored segments alike (ms)."""
    names = (session_id, str(parse_id("sess", session_id)))  # of its folders: in the storage, in the spool
    found = []
    for path, data in contents_below(folder):
        if path.suffix not in (".seg", ".open", ".cut") or not any(name in str(path) for name in names) or not data:
            continue
        found += [
            (record.start_sample * 1000 / RATE, record.end_sample * 1000 / RATE)
            for record in read_segment(data).records
            if record.kind == RecordKind.AUDIO
        ]
    return found


def assert_silent(folder: Path, paused: Paused, until_ms: float) -> None:
    """No file holds audio of the pause."""
    known = stretches(folder, paused.id)
    assert not [one for one in known if one[0] < until_ms - 1 and paused.paused_ms + 1 < one[1]], known


async def recording(stack: Stack, paused: Paused, folder: Path) -> tuple[np.ndarray, list[dict[str, Any]], str]:
    """Samples, gaps and state."""
    samples, rate = soundfile.read(await stack.download(paused.id, folder / f"{paused.id}.wav"), dtype="int16")
    assert rate == RATE
    _, resource = await stack.call("GET", f"/v1/sessions/{paused.id}/recording")
    return samples, resource["gaps"], resource["state"]


async def check_bill(stack: Stack, paused: Paused, ended: dict[str, Any], expected_ms: float) -> None:
    """To the millisecond, and the ledger says the same; each stretch may lose the part of its last millisecond."""
    billed = ended["usage"]["billable_ms"]
    assert expected_ms - 5 <= billed <= expected_ms + 1, (billed, expected_ms)
    _, page = await stack.call("GET", f"/v1/usage/events?session_id={paused.id}&limit=100")
    _, resource = await stack.call("GET", f"/v1/sessions/{paused.id}/recording")
    assert_balances(page["data"], ended, resource)


async def check_product(
    stack: Stack, paused: Paused, ended: dict[str, Any], on_pause: str, folder: Path
) -> list[dict[str, Any]]:
    """The pause is silence or nothing in the file, beeps are before and after it, what was said in it is nowhere."""
    samples, gaps, _ = await recording(stack, paused, folder)
    assert find_beeps(samples, SECRET) == []
    start, stop, length = (
        round(ms * RATE / 1000) for ms in (paused.paused_ms, paused.resumed_ms or paused.ending_ms, paused.ending_ms)
    )
    if on_pause == "cut":
        assert abs(len(samples) - (length - (stop - start))) < RATE // 100
        before, after = samples[:start], samples[start:]
    else:
        assert abs(len(samples) - length) < RATE // 100
        assert not samples[start + 100 : stop - 100].any()
        before, after = samples[:start], samples[stop:]
    lag = round(_LAG_SECONDS * RATE)
    for stretch in (before, after):
        if len(stretch) > lag + RATE:
            found = find_beeps(stretch[lag:], PLAN)
            assert len(found) >= (len(stretch) - lag) / RATE / PLAN.period_seconds - 2, (found, len(stretch))
    [gap] = [gap for gap in gaps if gap["code"] == "gap.paused"]
    assert abs(gap["start_ms"] - paused.paused_ms) < 3
    if on_pause == "cut":
        assert gap["end_ms"] - gap["start_ms"] < 500  # what came between the resume and its news
    else:
        assert -3 < gap["end_ms"] - (paused.resumed_ms or paused.ending_ms) < 500
    assert [gap["code"] for gap in gaps].count("gap.worker_lost") == 0, gaps
    return gaps


class Confidential:
    """Talkers who say something else while their rooms are paused."""

    def __init__(self, talkers: Sequence[BeepTalker]) -> None:
        self._talkers = talkers

    async def begin(self, seconds: float = 1.5) -> None:
        for talker in self._talkers:
            talker.plan = SECRET
        await asyncio.sleep(seconds)

    async def over(self) -> None:
        """Back to what may be recorded, and wait until nothing confidential is on its way any more."""
        for talker in self._talkers:
            talker.plan = PLAN
        await asyncio.sleep(_LAG_SECONDS + 0.5)


@pytest.mark.long
@pytest.mark.parametrize("dies", ["recorder", "worker"])
async def test_a_pause_in_which_the_recorder_dies_leaves_nothing_and_costs_nothing(
    stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path, dies: str
) -> None:
    """kill -9 of the recorder, or of the whole worker: another one takes the paused session, and goes on after it."""
    await stack.start_api()
    worker = await stack.start_worker("first")
    ways = ("silence", "cut")
    async with AsyncExitStack() as rooms:
        talkers = [await rooms.enter_async_context(talker("ann", PLAN, room_name=f"{room}-{way}")) for way in ways]
        secret = Confidential(talkers)
        sessions = [await stack.create(f"{room}-{way}", recording={"on_pause": way}) for way in ways]
        for session in sessions:
            await stack.reach(session["id"], "running")
        await asyncio.sleep(5)
        pauses = [await pause(stack, session["id"]) for session in sessions]
        await secret.begin()
        for paused in pauses:
            assert_silent(tmp_path, paused, 1e9)
        if dies == "recorder":
            (await recorder_of(stack, sessions[0]["id"], worker)).kill()
        else:
            worker.kill_with_children()
            await stack.start_worker("second")
        for session in sessions:
            await eventually(partial(_taken, stack, session["id"]), seconds=30, what="taken over")
        await asyncio.sleep(2)
        for paused in pauses:
            assert (await stack.get(paused.id))["status"] == "paused"
            assert_silent(tmp_path, paused, 1e9)
        await secret.over()
        for paused in pauses:
            await resume(stack, paused)
        await asyncio.sleep(5)
        if dies == "worker":
            await stack.start_worker("first-again", PARLEY_DATA_DIR=str(tmp_path / "first"))
            await eventually(lambda: _nothing_spooled(tmp_path / "first"), what="its spool is salvaged")
        for paused in pauses:
            assert_silent(tmp_path, paused, paused.resumed_ms)
        ended = [await end(stack, paused) for paused in pauses]

    for way, paused, session in zip(ways, pauses, ended, strict=True):
        assert (session["status"], session["epoch"]) == ("ended", 2)
        await check_product(stack, paused, session, way, tmp_path)
        talked_ms = paused.paused_ms + paused.ending_ms - paused.resumed_ms
        await check_bill(stack, paused, session, talked_ms)
        assert (await recording(stack, paused, tmp_path))[2] == "available"


async def _taken(stack: Stack, session_id: str) -> bool:
    _, timeline = await stack.call("GET", f"/v1/sessions/{session_id}/timeline")
    moves = [(move["epoch"], move["status_to"]) for move in timeline["data"]]
    return (2, "paused") in moves


async def _nothing_spooled(data_dir: Path) -> bool:
    return not [path for path in paths_below(data_dir / "spool") if path.suffix in (".seg", ".open", ".cut")]


async def test_a_database_that_restarts_in_a_pause_changes_nothing(
    own_stack: Stack, own_postgres: PostgresCluster, room: str, tmp_path: Path
) -> None:
    """The run goes on being paused: the same worker, nothing of the pause, the bill to the millisecond."""
    stack = own_stack
    await stack.start_api()
    await stack.start_worker()
    token = stack.token(room, "ann", can_publish=True, hidden=False, recorder=False)
    async with BeepTalker(stack.livekit.url, token, PLAN) as ann:
        secret = Confidential([ann])
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await asyncio.sleep(5)
        paused = await pause(stack, session["id"])
        await secret.begin()
        await asyncio.to_thread(own_postgres.stop)
        await asyncio.sleep(1)
        await asyncio.to_thread(own_postgres.start)

        async def back() -> bool:
            return (await stack.call("GET", "/v1/sessions"))[0] == 200

        await eventually(back, seconds=15, what="the API answers again")
        assert (await stack.get(paused.id))["status"] == "paused"
        await secret.over()
        assert_silent(tmp_path, paused, 1e9)
        await resume(stack, paused)
        await asyncio.sleep(4)
        assert_silent(tmp_path, paused, paused.resumed_ms)
        ended = await end(stack, paused)
    assert (ended["status"], ended["epoch"]) == ("ended", 1)
    await check_product(stack, paused, ended, "silence", tmp_path)
    await check_bill(stack, paused, ended, paused.paused_ms + paused.ending_ms - paused.resumed_ms)


@pytest.mark.parametrize("how", ["end", "cancel"])
async def test_ended_or_canceled_in_a_pause_the_file_and_the_bill_stop_where_it_began(
    common_stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path, how: str
) -> None:
    """Silence up to the end, or a file that ends at the pause."""
    stack = common_stack
    ways = ("silence", "cut")
    async with AsyncExitStack() as rooms:
        talkers = [await rooms.enter_async_context(talker("ann", PLAN, room_name=f"{room}-{way}")) for way in ways]
        sessions = [await stack.create(f"{room}-{way}", recording={"on_pause": way}) for way in ways]
        for session in sessions:
            await stack.reach(session["id"], "running")
        await asyncio.sleep(5)
        pauses = [await pause(stack, session["id"]) for session in sessions]
        await Confidential(talkers).begin(3)
        ended = [await end(stack, paused, how) for paused in pauses]
    for way, paused, session in zip(ways, pauses, ended, strict=True):
        assert session["status"] == {"end": "ended", "cancel": "canceled"}[how]
        await check_product(stack, paused, session, way, tmp_path)
        await check_bill(stack, paused, session, paused.paused_ms)


async def test_a_session_starts_when_its_time_has_come(
    common_stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """`created` until `start_at`; then a worker is in the room within seconds, and nothing before is billed."""
    stack = common_stack
    start_at = datetime.now(UTC) + timedelta(seconds=5)
    async with talker("ann", PLAN):
        session = await stack.create(room, start_at=format_timestamp(start_at))
        assert (session["status"], session["queued_at"]) == ("created", None)
        await asyncio.sleep(2)
        assert (await stack.get(session["id"]))["status"] == "created"
        running = await stack.reach(session["id"], "running", seconds=20)
        late = parse_timestamp(running["started_at"]) - start_at
        assert timedelta(0) <= late < timedelta(seconds=8)
        await asyncio.sleep(3)
        ended = await stack.end(session["id"])
    lasted = parse_timestamp(ended["ending_at"]) - parse_timestamp(ended["started_at"])
    assert ended["usage"]["billable_ms"] <= lasted / timedelta(milliseconds=1) + 1
    samples, _ = soundfile.read(await stack.download(session["id"], tmp_path / "a.wav"), dtype="int16")
    assert abs(len(samples) / RATE - lasted.total_seconds()) < 0.01
