"""PCM in byte streams: what is recorded is what a player would have played, and senders hear of it."""

import asyncio
import time
from typing import Any

import numpy as np
import pytest
from livekit import rtc

from audio.segments.segments import RecordKind, read_segment
from sessions.session import Session
from tests.integration.worker.studio import Studio, seconds_between
from tests.support.running.stack import eventually
from tests.support.samples.segments import gaps_of, identities_of, pcm_of
from tests.support.talkers.beeps import BeepPlan, BeepTalker, check_beeps
from tests.support.talkers.streams import beeps, stream_sender

PLAN = BeepPlan(700.0, offset_seconds=0.25, period_seconds=0.5)
OTHER = BeepPlan(1900.0, offset_seconds=0.25, period_seconds=0.5)
SECOND = 48_000


async def create(studio: Studio, room: str, **options: Any) -> Session:
    """A session that listens to byte streams, with a token that others see."""
    token = options.pop("token", None) or studio.token(room, "worker", can_publish=False, can_publish_data=True)
    session: Session = await studio.create(room, token=token, audio_source="data_stream", **options)
    return session


async def finish(studio: Studio, session: Session) -> tuple[list[tuple[str, bytes]], np.ndarray, Session]:
    """End it; the segments, everything in them on one line, and the session as it was then."""
    await studio.sessions.commands.end(studio.organization_id, session.id)
    await studio.sealed(session)
    segments = await studio.segments(session)
    return segments, pcm_of(segments), await studio.get(session)


def stretches(segments: list[tuple[str, bytes]]) -> list[tuple[int, int]]:
    """Where there is audio: unbroken stretches [start, end) of samples, over all tracks."""
    found: list[list[int]] = []
    spans = sorted(
        (record.start_sample, record.end_sample)
        for _, data in segments
        for record in read_segment(data).records
        if record.kind == RecordKind.AUDIO
    )
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([start, end])
    return [(start, end) for start, end in found]


def onsets(pcm: np.ndarray, plan: BeepPlan) -> list[float]:
    """When the plan's beeps begin, in seconds."""
    return list(check_beeps(pcm, plan, 0, len(pcm) / SECOND).onsets)


def planned(seconds: float) -> np.ndarray:
    """When beeps are found in the plan itself."""
    return np.array(onsets(beeps(PLAN, seconds, rate=SECOND), PLAN))


async def test_a_segment_sent_at_once_is_recorded_as_it_would_have_been_played(studio: Studio, room: str) -> None:
    """Six seconds of 24 kHz arrive within one: they lie in real time from their arrival on, beeps and pitch as sent."""
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        sent = time.monotonic()
        await sender.send(beeps(PLAN, 6).tobytes())
        assert time.monotonic() - sent < 3
        await sender.told(1)
        segments, pcm, ended = await finish(studio, session)

    assert [notice.method for notice in sender.notices] == ["started", "finished"]
    started, finished = sender.notices
    assert started.at - sent < 0.5
    assert finished.payload == {"playback_position": 6.0, "interrupted": False}
    assert 5.9 < finished.at - started.at < 6.3
    ((start, end),) = stretches(segments)
    assert end - start == 6 * SECOND
    assert np.allclose(onsets(pcm[start:end], PLAN), planned(6), atol=0.002)
    spectrum = np.abs(np.fft.rfft(pcm[start:end].astype(float)))
    assert abs(int(np.argmax(spectrum)) / 6 - 700) < 1
    assert spectrum[12_500 * 6 :].max() < spectrum.max() / 1000, "nothing above what 24 kHz can hold"
    assert identities_of(segments) == {"agent"}
    assert gaps_of(segments) == []
    assert (ended.usage.audio_ms_received, ended.usage.frames) == (6000, 600)
    assert abs(seconds_between(ended.started_at, ended.first_frame_at) - start / SECOND) < 0.001


async def test_two_segments_follow_each_other_and_are_one_track(studio: Studio, room: str) -> None:
    """The second one waits for the first; a third that comes later starts when it comes; stereo at 48 kHz is mixed."""
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        await sender.send(beeps(PLAN, 2).tobytes())
        await sender.send(beeps(PLAN, 1, rate=16_000).tobytes(), rate=16_000)
        await sender.told(2)
        await asyncio.sleep(1)
        left = beeps(PLAN, 1, rate=48_000)
        await sender.send(np.stack([left, left], axis=1).tobytes(), rate=48_000, channels=2, chunk_bytes=9_999)
        finished = await sender.told(3)
        segments, pcm, _ = await finish(studio, session)

    assert [one["playback_position"] for one in finished] == [2.0, 1.0, 1.0]
    (first, second) = stretches(segments)
    assert first[1] - first[0] == 3 * SECOND
    assert second[1] - second[0] == SECOND
    assert second[0] - first[1] > SECOND
    expected = [*planned(2), *(2 + planned(1))]
    assert np.allclose(onsets(pcm[first[0] : first[1]], PLAN), expected, atol=0.002)
    assert np.allclose(onsets(pcm[second[0] : second[1]], PLAN), planned(1), atol=0.002)
    tracks = {
        (record.track, record.document["name"])
        for _, data in segments
        for record in read_segment(data).records
        if record.kind == RecordKind.TRACK
    }
    assert tracks == {(1, "lk.audio_stream")}


async def test_an_interruption_cuts_off_what_was_not_played(studio: Studio, room: str) -> None:
    """Ten seconds sent, cleared before they are over: the position told is what is in the file; then another."""
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        sent = time.monotonic()
        await sender.send(beeps(PLAN, 10).tobytes())
        unfinished = await sender.open()  # queued behind it: it is over too
        await unfinished.write(beeps(PLAN, 2).tobytes()[:4800])
        await asyncio.sleep(max(0.0, sender.notices[0].at + 1.3 - time.monotonic()))
        cleared = time.monotonic()
        assert await sender.clear() == "ok"
        answered = time.monotonic()
        await sender.told(2, seconds=2)
        await unfinished.write(beeps(PLAN, 2).tobytes()[4800:])
        await unfinished.aclose()
        await asyncio.sleep(0.5)
        await sender.send(beeps(OTHER, 1).tobytes())
        await sender.told(3)
        segments, pcm, ended = await finish(studio, session)

    interrupted, never_played, whole = sender.finished
    assert (interrupted["interrupted"], never_played["interrupted"], whole["interrupted"]) == (True, True, False)
    assert never_played["playback_position"] == 0
    first, second = stretches(segments)
    assert abs((first[1] - first[0]) / SECOND - interrupted["playback_position"]) < 0.001
    heard = sender.notices[0].at  # it began between `sent` and here, and was cleared between `cleared` and `answered`
    assert cleared - heard - 0.001 < interrupted["playback_position"] < answered - sent + 0.001
    assert (second[1] - second[0], whole["playback_position"]) == (SECOND, 1.0)
    assert len(onsets(pcm[: first[1]], PLAN)) in PLAN.found(interrupted["playback_position"])
    assert onsets(pcm[first[1] :], PLAN) == []
    assert len(onsets(pcm, OTHER)) == 2
    assert ended.usage.audio_ms_received == (first[1] - first[0] + SECOND) * 1000 // SECOND


async def test_a_sender_in_real_time_leaves_no_holes(studio: Studio, room: str) -> None:
    """Speech synthesis that is no faster than speech: 100 ms every 100 ms. What came late itself lies late."""
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        writer = await sender.open()
        data = beeps(PLAN, 4).tobytes()
        begun, late = time.monotonic(), 0.0
        for number in range(40):
            await asyncio.sleep(max(0.0, begun + number * 0.1 - time.monotonic()))
            await writer.write(data[number * 4800 : (number + 1) * 4800])
            late = max(late, time.monotonic() - begun - number * 0.1)
        await writer.aclose()
        await sender.told(1)
        segments, _, _ = await finish(studio, session)
    played = [end - start for start, end in stretches(segments)]
    assert sum(played) == 4 * SECOND
    assert len(played) == 1 or late > 0.06, f"a hole, though nothing was sent more than {late * 1000:.0f} ms late"


async def test_only_streams_of_the_identity_that_was_asked_for_are_recorded(studio: Studio, room: str) -> None:
    """Not another sender's streams, not its clears, and no audio track."""
    session = await create(studio, room, subscribe_to_identity="agent")
    async with (
        studio.recorder(),
        stream_sender(studio, room) as sender,
        stream_sender(studio, room, "stranger") as stranger,
        BeepTalker(studio.livekit.url, studio.token(room, "ann"), OTHER),
    ):
        await studio.reaches(session, "running")
        await sender.send(beeps(PLAN, 2).tobytes())
        await stranger.send(beeps(OTHER, 2).tobytes())
        assert await stranger.clear() == "reject"
        await sender.told(1)
        segments, pcm, _ = await finish(studio, session)
    assert sender.finished == [{"playback_position": 2.0, "interrupted": False}]
    assert identities_of(segments) == {"agent"}
    assert (len(onsets(pcm, PLAN)), onsets(pcm, OTHER), stranger.notices) == (4, [], [])


async def test_two_senders_are_two_tracks_and_an_audio_track_is_none(studio: Studio, room: str) -> None:
    """They speak at the same time; the clear of one is not the other's. Whoever publishes audio is not recorded."""
    session = await create(studio, room)
    async with (
        studio.recorder(),
        stream_sender(studio, room) as sender,
        stream_sender(studio, room, "second") as second,
        BeepTalker(studio.livekit.url, studio.token(room, "ann"), BeepPlan(1100.0)),
    ):
        await studio.reaches(session, "running")
        await sender.send(beeps(PLAN, 3).tobytes())
        await second.send(beeps(OTHER, 8).tobytes())
        await asyncio.sleep(0.5)
        await second.clear()
        await sender.told(1)
        segments, pcm, _ = await finish(studio, session)
    assert sender.finished == [{"playback_position": 3.0, "interrupted": False}]
    ((cut, interrupted),) = [(one["playback_position"], one["interrupted"]) for one in second.finished]
    assert interrupted
    assert identities_of(segments) == {"agent", "second"}
    assert len(onsets(pcm, PLAN)) == 6
    assert len(onsets(pcm, OTHER)) in OTHER.found(cut)


@pytest.mark.parametrize(
    "attributes",
    [{"sample_rate": "0"}, {"num_channels": "4096"}, {"sample_rate": "fast"}, {"sample_rate": ""}],
    ids=lambda attributes: "-".join(f"{name}={value}" for name, value in attributes.items()),
)
async def test_a_stream_that_is_no_pcm_harms_nobody(studio: Studio, room: str, attributes: dict[str, Any]) -> None:
    """It is refused with an answer; odd bytes are played without the half sample; the next one is recorded."""
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        await sender.send(b"x" * 9600, **attributes)
        await sender.send(beeps(PLAN, 1).tobytes() + b"x", chunk_bytes=777)
        finished = await sender.told(2)
        segments, _, _ = await finish(studio, session)
    assert finished == [
        {"playback_position": 0.0, "interrupted": True},
        {"playback_position": 1.0, "interrupted": False},
    ]
    assert sum(end - start for start, end in stretches(segments)) == SECOND  # in parts where so many writes take longer


async def test_a_sender_too_far_ahead_loses_what_is_too_far_and_nothing_else(studio: Studio, room: str) -> None:
    """Two seconds of buffer, six sent at once: the rest is a gap where it would have been, memory stays bounded."""
    session = await create(studio, room)
    async with studio.recorder(stream_buffer_seconds=2), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        await sender.send(beeps(PLAN, 6).tobytes(), chunk_bytes=14_400)
        await sender.told(1)
        await sender.send(beeps(PLAN, 1).tobytes())
        await sender.told(2)
        segments, _, ended = await finish(studio, session)
    assert [one["playback_position"] for one in sender.finished] == [6.0, 1.0]
    assert "gap.overflow" in gaps_of(segments)
    found = stretches(segments)
    assert found[-1][1] - found[-1][0] == SECOND
    assert 2 * SECOND <= sum(end - start for start, end in found[:-1]) < 4 * SECOND
    assert ended.usage.audio_ms_received == sum(end - start for start, end in found) * 1000 // SECOND


async def test_a_pause_is_left_out_and_the_sender_goes_on(studio: Studio, room: str) -> None:
    """What would have been played during the pause is neither kept nor counted; what is played after it is."""
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        await sender.send(beeps(PLAN, 5).tobytes())
        await asyncio.sleep(1)
        paused = await studio.sessions.commands.pause(studio.organization_id, session.id)
        await asyncio.sleep(2)
        resumed = await studio.sessions.commands.resume(studio.organization_id, session.id)
        await sender.told(1)
        segments, _, ended = await finish(studio, session)
    assert sender.finished == [{"playback_position": 5.0, "interrupted": False}]
    first, second = stretches(segments)
    pause_seconds = seconds_between(paused.paused_at, resumed.updated_at)
    assert abs((second[0] - first[1]) / SECOND - pause_seconds) < 0.6  # a beat until it knows of the resume
    assert first[1] <= seconds_between(ended.started_at, paused.paused_at) * SECOND + 1
    assert second[1] - first[0] == 5 * SECOND
    assert ended.usage.audio_ms_received <= 5000 - 1800


async def test_the_end_cuts_and_says_so(studio: Studio, room: str) -> None:
    """Nothing lies past ending_at, and the sender hears how far it came instead of waiting for ever."""
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        await sender.send(beeps(PLAN, 20).tobytes())
        await asyncio.sleep(1)
        segments, pcm, ended = await finish(studio, session)
        (finished,) = await sender.told(1)
    length = seconds_between(ended.started_at, ended.ending_at)
    assert len(pcm) / SECOND <= length + 0.001
    assert finished["interrupted"]
    (stretch,) = stretches(segments)
    assert 0 <= finished["playback_position"] - (stretch[1] - stretch[0]) / SECOND < 0.6


async def test_a_session_is_not_idle_while_a_stream_is_played(studio: Studio, room: str) -> None:
    """Idle timeout of three seconds, five seconds of stream sent at once, no audio track in the room."""
    session = await create(studio, room, idle_timeout_seconds=3)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        await sender.send(beeps(PLAN, 5).tobytes())
        ending = await studio.reaches(session, "ending", "ended")
        await studio.sealed(session)
        segments = await studio.segments(session)
    assert ending.end_reason == "end.idle_timeout"
    ((_, end),) = stretches(segments)
    assert 3 <= seconds_between(ending.started_at, ending.ending_at) - end / SECOND < 3.6
    assert [end - start for start, end in stretches(segments)] == [5 * SECOND]
    assert sender.finished == [{"playback_position": 5.0, "interrupted": False}]


async def test_a_sender_that_dies_or_forgets_the_end_is_played_to_what_came(studio: Studio, room: str) -> None:
    """A stream without an end ends when its sender begins another one, or leaves."""
    session = await create(studio, room)
    async with studio.recorder():
        async with stream_sender(studio, room, "mortal") as mortal:
            await studio.reaches(session, "running")
            writer = await mortal.open()
            await writer.write(beeps(OTHER, 1).tobytes())
            await asyncio.sleep(0.2)
        async with stream_sender(studio, room) as sender:
            writer = await sender.open()
            await writer.write(beeps(PLAN, 1).tobytes())
            await sender.send(beeps(PLAN, 1).tobytes())
            finished = await sender.told(2)
            segments, pcm, _ = await finish(studio, session)
    assert [one["playback_position"] for one in finished] == [pytest.approx(1.0, abs=0.04), 1.0]
    assert identities_of(segments) == {"agent", "mortal"}
    assert (len(onsets(pcm, PLAN)), len(onsets(pcm, OTHER))) == (4, 2)


async def test_a_lost_room_costs_what_was_not_played_and_the_sender_hears_it(
    studio: Studio, room: str, rooms: list[rtc.Room]
) -> None:
    """SERVER_LEAVE in the middle of a segment: it is cut there, the sender is told after the rejoin, and goes on."""
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        await sender.send(beeps(PLAN, 20).tobytes(), chunk_bytes=14_400)
        await asyncio.sleep(1)
        await rooms[0].simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SERVER_LEAVE)
        (lost,) = await sender.told(1)
        await sender.send(beeps(OTHER, 1).tobytes())
        await sender.told(2)
        segments, pcm, ended = await finish(studio, session)
    assert (len(rooms), ended.epoch) == (2, 1)
    assert gaps_of(segments) == ["gap.rejoin"]
    first, second = stretches(segments)
    assert lost == {"playback_position": pytest.approx((first[1] - first[0]) / SECOND, abs=0.001), "interrupted": True}
    assert 0.9 < lost["playback_position"] < 3
    assert (second[1] - second[0], len(onsets(pcm, OTHER))) == (SECOND, 2)
    assert sender.finished[1:] == [{"playback_position": 1.0, "interrupted": False}]


async def test_a_sender_that_spoke_while_the_worker_was_away_is_freed(
    studio: Studio, room: str, rooms: list[rtc.Room]
) -> None:
    """Nobody received that segment and nobody ever will: an agent that waits for its end gets one after the rejoin."""
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        assert sender.finished == []
        await rooms[0].simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SERVER_LEAVE)
        assert await sender.told(1) == [{"playback_position": 0.0, "interrupted": True}]
        await finish(studio, session)


async def test_a_full_reconnect_of_the_sdk_keeps_streams_and_calls(
    studio: Studio, room: str, rooms: list[rtc.Room]
) -> None:
    """FULL_RECONNECT between two segments: the second is recorded, and can be taken back.

    If it takes the answer to the first notice with it, that one comes again.
    """
    session = await create(studio, room)
    async with studio.recorder(), stream_sender(studio, room) as sender:
        await studio.reaches(session, "running")
        await sender.send(beeps(PLAN, 1).tobytes())
        first = await sender.told(1)
        reconnected = asyncio.Event()
        rooms[0].on("reconnected", reconnected.set)
        await rooms[0].simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        await asyncio.wait_for(reconnected.wait(), 20)
        await asyncio.sleep(1)
        await sender.send(beeps(OTHER, 9).tobytes())
        await asyncio.sleep(1.5)
        assert await sender.clear() == "ok"

        async def interrupted() -> bool:
            return any(one["interrupted"] for one in sender.finished)

        await eventually(interrupted, seconds=10, what="what was taken back is finished")
        segments, _, ended = await finish(studio, session)
    assert (len(rooms), ended.epoch) == (1, 1)
    finished = [*first, *(one for one in sender.finished if one not in first)]
    assert [one["interrupted"] for one in finished] == [False, True]
    assert [(end - start) / SECOND for start, end in stretches(segments)] == [
        1.0,
        pytest.approx(finished[1]["playback_position"], abs=0.001),
    ]
