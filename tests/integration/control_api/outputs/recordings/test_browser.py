"""A browser plays each form of a recording from our links, and seeks in it."""

import asyncio
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from audio.building.wav import WavLabel, open_wav
from audio.pcm import SAMPLE_RATE
from audio.segments.plan import Origin
from tests.integration.control_api.outputs.recordings.test_forms import make
from tests.integration.control_api.outputs.recordings.test_recordings import store_recording
from tests.support.browsers.browser import browsing, chromium_program, chromium_version
from tests.support.running.api_server import ApiServer, api_server
from tools.compatibility import note

SECONDS = 60
SOUGHT = 41.4  # in the middle of the file, where nothing has been loaded yet
PAGE_SECONDS = 60.0
# Finds the pitch that is heard after the seek, as the sound card would get it.
PAGE = """<!doctype html><script type="module">
const sources = %s, sought = %s;
const until = (target, name) => new Promise((good, bad) => {
  target.addEventListener(name, good, {once: true});
  target.addEventListener("error", () => bad(new Error(name + ": " + target.error?.message)), {once: true});
});
async function play(context, url) {
  const audio = new Audio();
  audio.crossOrigin = "anonymous";
  audio.preload = "metadata";
  const loaded = until(audio, "loadedmetadata");
  audio.src = url;
  await loaded;
  const duration = audio.duration;
  const ready = until(audio, "seeked");
  audio.currentTime = sought;
  await ready;
  const analyser = new AnalyserNode(context, {fftSize: 16384, smoothingTimeConstant: 0});
  context.createMediaElementSource(audio).connect(analyser).connect(context.destination);
  await audio.play();
  const bins = new Float32Array(analyser.frequencyBinCount);
  while (audio.currentTime < sought + 0.5) await new Promise(good => setTimeout(good, 20));
  analyser.getFloatFrequencyData(bins);
  audio.pause();
  return {duration, at: audio.currentTime, hertz: bins.indexOf(Math.max(...bins)) * context.sampleRate / 16384};
}
const found = {};
try {
  const context = new AudioContext();
  await context.resume();
  await Promise.all(Object.entries(sources).map(async ([form, url]) => {
    found[form] = await play(context, url).catch(error => ({error: String(error)}));
  }));
} catch (error) { found.error = String(error); }
await fetch("/found", {method: "POST", body: JSON.stringify(found)});
</script>"""


def pitch(second: int) -> float:
    """What is heard in each second."""
    return 300.0 + 25 * second


def _staircase() -> bytes:
    """A WAV file as we write them, whose pitch tells the second."""
    hertz = np.repeat([pitch(second) for second in range(SECONDS)], SAMPLE_RATE)
    samples = 8000 * np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE)
    file = io.BytesIO()
    label = WavLabel(Origin("sess_1", datetime(2026, 11, 29, 23, 25, 33, tzinfo=UTC)))
    with open_wav(file, len(samples), 1, label) as wav:
        wav.write(samples.astype(np.int16)[:, np.newaxis])
    return file.getvalue()


async def _links(api: ApiServer) -> dict[str, str]:
    """By form."""
    session = await api.create("room", recording={"formats": ["flac", "opus", "mp3"]})
    key = await store_recording(api, session["id"])
    await api.dependencies.objects.put_bytes(key, _staircase())
    paths = {form: f"/v1/sessions/{session['id']}/audio?format={form}" for form in ("wav", "flac", "opus", "mp3")}
    for path in paths.values():
        await api.call("GET", path)
    await make(api, session["id"])
    return {form: (await api.call("GET", path)).headers["Location"] for form, path in paths.items()}


async def _seen_by_browser(links: dict[str, str], folder: Path) -> Any:
    """What the page has found out."""
    found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def page(_: web.Request) -> web.Response:
        return web.json_response(text=PAGE % (links, SOUGHT), content_type="text/html")

    async def take(request: web.Request) -> web.Response:
        found.set_result(await request.json())
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/found", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        with browsing(f"http://127.0.0.1:{port}/", folder):
            return await asyncio.wait_for(found, PAGE_SECONDS)
    finally:
        await runner.cleanup()


@pytest.mark.long
async def test_a_browser_plays_and_seeks_every_form(database_url: str, tmp_path: Path) -> None:
    """It knows the length before it has the file, and what is heard after a seek is what is there."""
    chromium_program()
    async with api_server(database_url, tmp_path, cors_origins=("*",)) as api:
        found = await _seen_by_browser(await _links(api), tmp_path / "browser")
    assert set(found) == {"wav", "flac", "opus", "mp3"}, found
    for form, seen in found.items():
        assert "error" not in seen, (form, seen)
        assert seen["duration"] == pytest.approx(SECONDS, abs=0.1), form
        assert SOUGHT + 0.5 <= seen["at"] < SOUGHT + 5, (form, seen)
        second = (seen["hertz"] - pitch(0)) / 25
        assert SOUGHT - 0.6 <= second <= seen["at"] + 0.2, (form, seen)
    note(
        "browser",
        "Chromium",
        version=chromium_version(),
        run="WAV, FLAC, Opus, MP3: length, a seek, playing from there",
    )
