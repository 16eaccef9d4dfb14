"""Somebody talks on our page: what the browser's microphone heard is in the recording."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from playwright.async_api import Browser, Error, expect

from tests.support.browsers.pages_browser import Sight, chromium, looking
from tests.support.rules.holes import short_ms
from tests.support.running.stack import MASTER_KEY, Stack
from tests.support.talkers.beeps import SAMPLE_RATE, BeepPlan, check_beeps, mint_token

PLAN = BeepPlan(pitch_hz=700)
OTHER_PLAN = BeepPlan(pitch_hz=1500, offset_seconds=0.5)
_SPOKEN_SECONDS = 120
_TALKS_MS = 7000
_PIECE_MS = 2500
_SETTLES_MS = 1000  # a new track, or a new connection, until the worker hears it
_SPACING_MS = 40.0  # 1 was measured on a quiet machine
_HEARD_AGAIN_SECONDS = 10.0  # 3 on a machine with nothing else to do
_RECORDED_SECONDS = 8.0  # 2 on a machine with nothing else to do
_LEVEL_DB = 1.0
_SHORT_GAPS_MS = 1000  # which a busy machine makes; silences would be six times as long


async def test_what_is_said_into_the_browser_is_recorded(common_stack: Stack, tmp_path: Path) -> None:
    """Signed in by what `parley dev` hands over; one button to talk, one to stop and listen; as loud as it was said."""
    async with _browser(tmp_path, PLAN) as browser, _at_talk(browser, common_stack) as sight:
        assert MASTER_KEY not in sight.page.url
        assert await sight.grave_findings() == []
        recorded = await _begin(sight)
        await sight.page.wait_for_timeout(_TALKS_MS)
        session_id, heard = await _stop(sight)
        assert recorded < _RECORDED_SECONDS
        assert heard < _HEARD_AGAIN_SECONDS
        assert (sight.elsewhere, sight.complaints) == ([], [])
    samples = await _recording(common_stack, session_id, tmp_path)
    report = check_beeps(samples, PLAN, 1, len(samples) / SAMPLE_RATE - 0.5)
    assert report.presence >= 0.99, report
    assert report.spacing_p95_ms <= _SPACING_MS, report
    off_db = 20 * np.log10(_amplitude(samples, report.onsets) / PLAN.amplitude)
    assert abs(off_db) <= _LEVEL_DB
    _, recording = await common_stack.call("GET", f"/v1/sessions/{session_id}/recording")
    assert short_ms(recording["gaps"]) <= _SHORT_GAPS_MS, "a browser sends next to nothing while nobody speaks"


async def test_a_conversation_outlives_what_happens_to_its_page(common_stack: Stack, tmp_path: Path) -> None:
    """Muted, another microphone, a reload, a renderer that crashes: one session has it all, until it is ended."""
    async with _browser(tmp_path, PLAN) as browser, _at_talk(browser, common_stack) as sight:
        page = sight.page
        await _begin(sight)
        session_id = await page.evaluate("JSON.parse(sessionStorage.getItem('parley.talk')).sessionId")
        pieces = [await _piece(sight)]
        await page.get_by_role("button", name="Mute", exact=True).click()
        muted = await _piece(sight)
        await page.get_by_role("button", name="Unmute").click()
        pieces.append(await _piece(sight))
        await page.get_by_label("Microphone").select_option(index=2)
        pieces.append(await _piece(sight))
        await page.reload()
        await page.get_by_role("button", name="Go on talking").click()
        await page.get_by_role("meter", name="Level of you").wait_for()
        pieces.append(await _piece(sight))
        await expect(page.get_by_role("alert")).to_have_count(0)
        assert (sight.elsewhere, sight.complaints) == ([], [])
        async with page.expect_event("crash"):
            with suppress(Error):
                await page.goto("chrome://crash")
    assert (await common_stack.get(session_id))["status"] == "running"
    session = await common_stack.end(session_id)
    samples = await _recording(common_stack, session_id, tmp_path)
    began = datetime.fromisoformat(session["started_at"]).timestamp()
    assert check_beeps(samples, PLAN, muted[0] - began, muted[1] - began).onsets == ()
    names = ("at first", "after a mute", "with another microphone", "after a reload")
    for piece, (start, stop) in zip(names, pieces, strict=True):
        report = check_beeps(samples, PLAN, start - began, stop - began)
        assert report.presence >= 0.99, (piece, report)


@pytest.mark.long
async def test_two_browsers_in_one_room_hear_each_other(common_stack: Stack, tmp_path: Path) -> None:
    """Each with tokens that somebody else has minted, and a session of its own: both recordings have both voices."""
    livekit, room = common_stack.livekit, f"both-{tmp_path.name}"
    talks = []
    for name in ("ann", "bob"):
        own = mint_token(livekit.api_key, livekit.api_secret, room, name)
        talks.append(
            {"url": livekit.url, "participantToken": own, "workerToken": common_stack.token(room, f"rec-{name}")}
        )
    async with (
        _browser(tmp_path, PLAN) as first,
        _browser(tmp_path, OTHER_PLAN) as second,
        _at_talk(first, common_stack, talks[0]) as ann,
        _at_talk(second, common_stack, talks[1]) as bob,
    ):
        await _begin(ann)
        await _begin(bob)
        await ann.page.get_by_role("meter", name="Level of bob").wait_for()
        await bob.page.get_by_role("meter", name="Level of ann").wait_for()
        both = time.time()  # who came last is published: recordings have both voices from here on
        await ann.page.wait_for_timeout(_TALKS_MS)
        stopped = time.time()
        ended = [(await _stop(sight))[0] for sight in (ann, bob)]
    for name, session_id in zip(("ann", "bob"), ended, strict=True):
        session = await common_stack.get(session_id)
        began = datetime.fromisoformat(session["started_at"]).timestamp()
        samples = await _recording(common_stack, session_id, tmp_path)
        for plan in (PLAN, OTHER_PLAN):
            report = check_beeps(samples, plan, both + 1 - began, stopped - 0.5 - began)
            assert report.presence >= 0.99, (f"{plan.pitch_hz:g} Hz in the recording of {name}", report)


@asynccontextmanager
async def _browser(folder: Path, plan: BeepPlan) -> AsyncIterator[Browser]:
    """One whose microphone hears the plan."""
    spoken = folder / f"spoken-{plan.pitch_hz:g}.wav"
    soundfile.write(spoken, plan.samples(0, _SPOKEN_SECONDS * SAMPLE_RATE), SAMPLE_RATE)
    microphone = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken}",
    )
    async with chromium(*microphone) as browser:
        yield browser


@asynccontextmanager
async def _at_talk(browser: Browser, stack: Stack, access: dict[str, str] | None = None) -> AsyncIterator[Sight]:
    """The page of who is signed in, ready to talk, without the browser's processing.

    Args:
        access: what the tab keeps of where it talks; None: as `parley dev` hands it over.
    """
    livekit = stack.livekit
    handed_over = {
        "key": MASTER_KEY,
        "livekit_url": livekit.url,
        "livekit_key": livekit.api_key,
        "livekit_secret": livekit.api_secret,
    }
    page = f"{stack.bases[0]}/talk?{urlencode({'livekit': livekit.url})}"
    async with looking(browser, permissions=["microphone"]) as sight:
        if access is None:
            page += f"#hand-over&{urlencode(handed_over)}"
        else:
            kept = f"sessionStorage.setItem('parley.livekit', {json.dumps(json.dumps(access))})"
            await sight.page.add_init_script(f"{kept}; sessionStorage.setItem('parley.key', '{MASTER_KEY}')")
        await sight.page.goto(page)
        await sight.page.get_by_label("Let the browser take out echo and noise").uncheck()
        yield sight


async def _begin(sight: Sight) -> float:
    """Seconds from the click until it is recorded."""
    clicked = time.monotonic()
    await sight.page.get_by_role("button", name="Start talking").click()
    await sight.page.get_by_text("Recording", exact=True).wait_for()
    return time.monotonic() - clicked


async def _piece(sight: Sight) -> tuple[float, float]:
    """Some seconds of talk, between two instants in which it is sure to be heard."""
    await sight.page.wait_for_timeout(_SETTLES_MS)
    start = time.time()
    await sight.page.wait_for_timeout(_PIECE_MS)
    return start, time.time()


async def _stop(sight: Sight) -> tuple[str, float]:
    """The session's id, and seconds from Stop until it plays."""
    stopped = time.monotonic()
    await sight.page.get_by_role("button", name="Stop and listen").click()
    await sight.page.wait_for_url("**/sessions/sess_*")
    await sight.page.get_by_role("button", name="Play", exact=True).click()
    await sight.page.get_by_role("button", name="Pause", exact=True).wait_for()
    return sight.page.url.rpartition("/")[2], time.monotonic() - stopped


async def _recording(stack: Stack, session_id: str, folder: Path) -> NDArray[np.int16]:
    wav = await stack.download(session_id, folder / f"{session_id}.wav")
    samples, rate = soundfile.read(wav, dtype="int16")
    assert rate == SAMPLE_RATE
    return np.asarray(samples, dtype=np.int16)


def _amplitude(samples: NDArray[np.int16], onsets: tuple[float, ...]) -> float:
    """Of the beeps: the median of their middles, which have neither ramp nor silence in them."""
    middles = [samples[round((at + 0.03) * SAMPLE_RATE) : round((at + 0.12) * SAMPLE_RATE)] for at in onsets]
    loud = [np.sqrt(2 * np.mean(middle.astype(np.float64) ** 2)) for middle in middles if len(middle)]
    return float(np.median(loud))
