"""The embedded engine: Moonshine tiny, English, its model (MIT) inside a wheel whose code is never imported."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.pcm import FULL_SCALE, SPEECH_RATE, Pcm
from worker.outputs.speech.engines.engine import Recognized, SpeechError
from worker.outputs.speech.engines.languages import primary_subtag
from worker.outputs.speech.engines.model_files import model_file
from worker.outputs.speech.engines.moonshine_vocabulary import END, START, read_vocabulary, spelled
from worker.outputs.speech.engines.onnx_model import open_onnx_model

_PACKAGE = "moonshine-voice"
_FOLDER = "moonshine_voice/assets/tiny-en"
_SHA256 = {
    "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    "decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
_HEADS, _HEAD_SIZE = 8, 36
_LEAST_SAMPLES = SPEECH_RATE // 10  # the encoder has no frame for less
_TOKENS_PER_SECOND = 6.5  # nobody speaks faster; a model that goes on makes it up
_LEAST_MEAN_LOG_PROBABILITY = -0.55  # measured: 6 of 240 sentences in four other languages have more
_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u024f]")  # a letter that is not Latin
_LONGEST_PHRASE_TOKENS = 24
_TOKEN_REPEATS = 4  # ♪♪♪♪
_PHRASE_REPEATS = 3  # "You are. You are. You are."; longer than two tokens


@dataclass(frozen=True, slots=True)
class _Guess:
    """Token ids without the end's, the mean of log p of them and of the end, and whether the model came to an end."""

    tokens: list[int]
    mean_log_probability: float
    is_whole: bool


class MoonshineEngine:
    """Recognizes in a thread; ONNX Runtime releases the GIL.

    Such models invent fluent English from anything. What they are not sure of, or what goes round in circles, is
    `not_understood`: other languages, music, noises.
    """

    name = "moonshine"
    model: str | None = "tiny-en"

    def __init__(self) -> None:
        paths = {name: model_file(_PACKAGE, f"{_FOLDER}/{name}", sha256) for name, sha256 in _SHA256.items()}
        self._encoder = open_onnx_model(paths["encoder_model.ort"])
        self._decoder = open_onnx_model(paths["decoder_model_merged.ort"])
        self._vocabulary = read_vocabulary(paths["tokenizer.bin"].read_bytes())
        self._past = [one.name for one in self._decoder.get_inputs() if one.name.startswith("past_key_values")]
        self._present = [one.name.replace("present", "past_key_values") for one in self._decoder.get_outputs()[1:]]

    async def recognize(self, pcm: Pcm, language: str | None = None) -> Recognized:
        """See `SpeechEngine`."""
        if language is not None and primary_subtag(language) != "en":
            raise SpeechError("speech.language_unsupported", f"the moonshine engine knows English only, not {language}")
        return await asyncio.to_thread(self._recognize, pcm)

    def _recognize(self, pcm: Pcm) -> Recognized:
        samples = np.zeros((1, max(len(pcm), _LEAST_SAMPLES)), dtype=np.float32)
        samples[0, : len(pcm)] = pcm / np.float32(FULL_SCALE)
        guess = self._guess(samples)
        text = spelled(guess.tokens, self._vocabulary)
        if not text:
            return Recognized("", None, (), None)
        if not _is_sure(guess) or _OTHER_SCRIPT.search(text):
            return Recognized("", None, (), None, reason="not_understood")
        return Recognized(text, round(float(np.exp(guess.mean_log_probability)), 4), (), "en")

    def _guess(self, samples: NDArray[np.float32]) -> _Guess:
        """Take the likeliest token after token."""
        mask = np.ones(samples.shape, dtype=np.int64)
        [encoded] = self._encoder.run(None, {"input_values": samples, "attention_mask": mask})
        known: dict[str, Any] = {
            "encoder_hidden_states": encoded,
            "encoder_attention_mask": mask,  # of the audio's length: the decoder strides it itself
            **{name: np.zeros((1, _HEADS, 0, _HEAD_SIZE), dtype=np.float32) for name in self._past},
        }
        tokens = [START]
        log_probabilities: list[float] = []
        for step in range(int(samples.shape[1] / SPEECH_RATE * _TOKENS_PER_SECOND) + 4):
            inputs = {"input_ids": np.array([[tokens[-1]]]), "use_cache_branch": np.array([step > 0]), **known}
            logits, *present = self._decoder.run(None, inputs)
            likeliest, log_probability = _likeliest(logits[0, -1])
            log_probabilities.append(log_probability)
            if likeliest == END:
                break
            tokens.append(likeliest)
            if _goes_round(tokens):
                break
            known |= {
                name: values
                for name, values in zip(self._present, present, strict=True)
                if step == 0 or ".decoder." in name  # what it keeps of the encoder is known after the first step
            }
        else:
            likeliest = tokens[-1]
        return _Guess(tokens[1:], float(np.mean(log_probabilities)), likeliest == END)


def _likeliest(logits: NDArray[np.float32]) -> tuple[int, float]:
    token = int(logits.argmax())
    return token, -float(np.log(np.exp(logits - logits[token]).sum()))


def _is_sure(guess: _Guess) -> bool:
    return guess.is_whole and guess.mean_log_probability >= _LEAST_MEAN_LOG_PROBABILITY


def _goes_round(tokens: list[int]) -> bool:
    """Whether it ends with one phrase again and again."""
    for length in range(1, _LONGEST_PHRASE_TOKENS + 1):
        repeats = _TOKEN_REPEATS if length <= 2 else _PHRASE_REPEATS
        if len(tokens) < length * repeats:
            return False
        phrase = tokens[-length:]
        if all(tokens[-length * back : -length * (back - 1)] == phrase for back in range(2, repeats + 1)):
            return True
    return False
