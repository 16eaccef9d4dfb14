"""A session that ended with the demo's conversation in its spool, each talker on a track of their own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import soundfile

from audio.pcm import SAMPLE_RATE, Pcm
from audio.segments.segments import encode_audio, encode_header, encode_track, segment_key
from sessions.ids import format_id
from sessions.lifecycle.stop import Stop
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.outputs.summaries import Summaries
from store.outputs.transcripts import Transcripts
from tests.support.running.engine import Engine
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.finalizer import Finalizer

SPEECH = Path(__file__).parents[3] / "parley" / "demo" / "speech"
SEGMENT_SAMPLES = 10 * SAMPLE_RATE


def clip(name: str) -> Pcm:
    """A turn of the demo, by the name of its file, at 48 kHz; its speech is espeak-ng's."""
    return clip_at(name, SAMPLE_RATE)


def clip_at(name: str, rate: int) -> Pcm:
    """The same at another rate, resampled by the spectrum of the whole."""
    samples, recorded_rate = soundfile.read(SPEECH / f"{name}.ogg", dtype="float64")
    length = round(len(samples) * rate / recorded_rate)
    spectrum = np.fft.irfft(np.fft.rfft(samples), n=length) * (length / len(samples))
    return np.asarray(np.clip(spectrum, -1, 1) * 32767, dtype=np.int16)


@dataclass
class SpokenSessions:
    """Makes sessions that have been spoken in; time is moved, nobody waits.

    Attributes:
        written: every segment's key and bytes, deleted since or not.
    """

    engine: Engine
    objects: Objects
    folder: Path
    written: dict[str, bytes] = field(default_factory=dict)

    @property
    def transcripts(self) -> Transcripts:
        """Of the engine's database."""
        return Transcripts(self.engine.db)

    @property
    def summaries(self) -> Summaries:
        """Of the engine's database."""
        return Summaries(self.engine.db)

    async def finished(
        self,
        turns: dict[str, tuple[float, Pcm]],
        seconds: float,
        before_the_end: Callable[[UUID], Awaitable[None]] | None = None,
        stop: Stop | None = None,
        **columns: object,
    ) -> UUID:
        """A session of so many seconds that ended and was finalized.

        Args:
            turns: identity → (second at which it begins, samples at 48 kHz).
            before_the_end: called while it runs.
            stop: why it ended; None: somebody asked for it.
        """
        fence = await self.engine.running(**columns)
        name = format_id("sess", fence.session_id)
        for number, (identity, (second, pcm)) in enumerate(turns.items(), start=1):
            start = round(second * SAMPLE_RATE)
            for part in range(0, len(pcm), SEGMENT_SAMPLES):
                piece = pcm[part : part + SEGMENT_SAMPLES]
                data = b"".join(
                    [
                        encode_header(name, fence.epoch, str(fence.owner), start + part),
                        encode_track(
                            1,
                            1,
                            identity=identity,
                            name="microphone",
                            speaker=identity.title(),
                            sid=f"TR_{identity}",
                            side="room",
                        ),
                        encode_audio(1, 2, start + part, start + part, piece),
                    ]
                )
                sequence = 1000 * number + part // SEGMENT_SAMPLES
                key = f"spool/{name}/{segment_key(data, sequence).name}"
                await self.objects.put_create(key, data)
                self.written[key] = data
        if before_the_end is not None:
            await before_the_end(fence.session_id)
        await self.engine.pass_seconds(seconds + 1)
        started_at = (await self.engine.session(fence.session_id)).started_at
        assert started_at is not None
        at = started_at + timedelta(seconds=seconds)
        await self.engine.runs.enter_ending(fence, replace(stop or Stop.ended("end.requested"), at=at))
        await self.engine.runs.seal(fence)
        finalizer = Finalizer(
            self.engine.freezes,
            self.objects,
            StorageIdentity(self.engine.db, self.objects).confirm,
            Leftovers(self.engine.db, self.objects),
            temporary=self.folder / "tmp",
            salvage_seconds=60,
        )
        await finalizer.finalize(fence.session_id)
        return fence.session_id

    async def spool(self, session_id: UUID) -> list[tuple[str, int]]:
        """What is left of its segments."""
        return await self.objects.list(f"spool/{format_id('sess', session_id)}")
