"""The embedded engine: CMU PocketSphinx, US English, its model inside the wheel. Rough, but nothing to configure."""

import asyncio
from typing import Any

from audio.pcm import SPEECH_RATE, Pcm
from worker.speech.engine import Recognized, SpeechError, SpokenWord

_MS_PER_FRAME = 10


class PocketSphinxEngine:
    """Recognizes in a thread, one utterance at a time."""

    name = "pocketsphinx"
    model: str | None = "en-us"

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError:
            raise SpeechError(
                "speech.engine_missing", "the pocketsphinx engine needs the extra parley[speech]"
            ) from None
        self._decoder: Any = Decoder(samprate=SPEECH_RATE, loglevel="FATAL")
        self._one_at_a_time = asyncio.Lock()

    async def recognize(self, pcm: Pcm) -> Recognized:
        """See `SpeechEngine`."""
        async with self._one_at_a_time:
            work = asyncio.get_running_loop().run_in_executor(None, self._decode, pcm)
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                await asyncio.wait([work])  # the decoder can't be used by two threads: wait for this one
                raise

    def _decode(self, pcm: Pcm) -> Recognized:
        """Decode the utterance as a whole, because its mean is subtracted first; holds the GIL all the while."""
        decoder = self._decoder
        decoder.start_utt()
        try:
            decoder.process_raw(pcm.tobytes(), full_utt=True)
        finally:
            decoder.end_utt()
        words = tuple(_word(segment) for segment in decoder.seg() or () if _is_word(segment.word))
        scores = [word.confidence for word in words if word.confidence is not None]
        return Recognized(
            text=" ".join(word.text for word in words),
            confidence=round(sum(scores) / len(scores), 4) if scores else None,
            words=words,
            language="en",
        )


def _is_word(entry: str) -> bool:
    """Whether a dictionary entry is something that was said: not <s>, <sil>, [SPEECH] or ++NOISE++."""
    return not entry.startswith(("<", "[", "+"))


def _word(segment: Any) -> SpokenWord:
    return SpokenWord(
        text=segment.word.partition("(")[0],  # `the(2)` is another pronunciation
        start_ms=segment.start_frame * _MS_PER_FRAME,
        end_ms=(segment.end_frame + 1) * _MS_PER_FRAME,
        confidence=round(min(max(float(segment.prob), 0.0), 1.0), 4),
    )
