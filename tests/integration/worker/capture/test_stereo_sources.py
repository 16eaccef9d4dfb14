"""What a source sends in two channels is heard in the recording, however the two relate."""

import asyncio

import numpy as np
import pytest

from tests.integration.worker.studio import Studio
from tests.support.samples.segments import pcm_of
from tests.support.talkers.stereo_sender import stereo_sender

AMPLITUDE = 12_000.0


@pytest.mark.parametrize(
    ("left", "right"), [(1, -1), (1, 0), (0, 1), (1, 1)], ids=["opposite", "left only", "right only", "both alike"]
)
async def test_a_stereo_source_is_as_loud_in_the_recording_as_it_was_sent(
    studio: Studio, room: str, left: int, right: int
) -> None:
    """Within 1.5 dB, also where a mean of both channels is silent."""
    tone = AMPLITUDE * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    sent = np.rint(np.stack([left * tone, right * tone], axis=1)).astype(np.int16)
    session = await studio.create(room)
    async with studio.recorder(), stereo_sender(studio.livekit.url, studio.token(room, "ann"), sent):
        await studio.reaches(session, "running")
        await asyncio.sleep(4)
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
    last_seconds = pcm_of(await studio.segments(session))[-2 * 48_000 :].astype(float)
    spectrum = np.abs(np.fft.rfft(last_seconds)) / len(last_seconds) * 2

    assert abs(int(spectrum.argmax()) - 2 * 440) <= 1
    level_db = 20 * np.log10(np.sqrt(np.mean(last_seconds**2)) / (AMPLITUDE / np.sqrt(2)))
    assert level_db == pytest.approx(0, abs=1.5)
