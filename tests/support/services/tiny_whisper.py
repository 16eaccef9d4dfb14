"""`python -m tests.support.services.tiny_whisper FOLDER`: a Whisper model in CTranslate2's format that fits anywhere.

It runs in the environment of faster-whisper. The architecture is Whisper's, with one layer of 16 dimensions; the
weights are chosen so that the decoder says the same whatever the encoder heard: embeddings are zero, so the position
alone decides which token comes next.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

TEXT_TOKENS = 50_257  # as many as Whisper's, for the special ones have their places behind them
DIMENSIONS = 16
MELS = 80
LANGUAGES = 99
SAID = ("<|0.20|>", "ĠGood", "Ġmorning", "<|1.20|>", "<|endoftext|>")  # Ġ is how byte pairs spell a space


def make_model(folder: Path) -> None:
    """Write it, with its tokenizer."""
    from ctranslate2.specs.whisper_spec import WhisperSpec
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    bytes_ = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [token for token in SAID if token.startswith("Ġ")]
    text = [*bytes_, *words, *(f"Ġw{number}" for number in range(TEXT_TOKENS - len(bytes_) - len(words)))]
    languages = [f"<|{code}|>" for code in _LANGUAGE_CODES[:LANGUAGES]]
    tasks = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, *(f"<|{task}|>" for task in tasks)]
    stamps = [f"<|{number * 0.02:.2f}|>" for number in range(1501)]
    vocabulary = [*text, *special, *stamps]
    ids = {token: number for number, token in enumerate(vocabulary)}

    spec = WhisperSpec(1, 2, 1, 2)
    _fill(spec.encoder, spec.decoder, len(vocabulary), [ids[token] for token in SAID])
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [ids["<|endoftext|>"]]
    spec.config.lang_ids = [ids[token] for token in languages]
    spec.config.alignment_heads = [[0, 0]]
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))

    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(text)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.add_tokens([AddedToken(token, special=False) for token in stamps])
    tokenizer.save(str(folder / "tokenizer.json"))


def _fill(encoder: Any, decoder: Any, tokens: int, script: list[int]) -> None:
    random = np.random.default_rng(7)

    def weights(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.3).astype(np.float32)

    def linear(one: Any, outputs: int, inputs: int, *, mute: bool = False) -> None:
        one.weight = weights(outputs, inputs) * np.float32(not mute)
        one.bias = np.zeros(outputs, np.float32)

    def norm(one: Any) -> None:
        one.gamma, one.beta = np.ones(DIMENSIONS, np.float32), np.zeros(DIMENSIONS, np.float32)

    def layer(one: Any, *, mute: bool) -> None:
        norm(one.self_attention.layer_norm)
        linear(one.self_attention.linear[0], 3 * DIMENSIONS, DIMENSIONS)
        linear(one.self_attention.linear[1], DIMENSIONS, DIMENSIONS, mute=mute)
        norm(one.ffn.layer_norm)
        linear(one.ffn.linear_0, 4 * DIMENSIONS, DIMENSIONS)
        linear(one.ffn.linear_1, DIMENSIONS, 4 * DIMENSIONS, mute=mute)

    for number, inputs in ((1, MELS), (2, DIMENSIONS)):
        convolution = getattr(encoder, f"conv{number}")
        convolution.weight, convolution.bias = weights(DIMENSIONS, inputs, 3), np.zeros(DIMENSIONS, np.float32)
    encoder.position_encodings.encodings = weights(1500, DIMENSIONS)
    norm(encoder.layer_norm)
    layer(encoder.layer[0], mute=False)

    layer(decoder.layer[0], mute=True)
    cross = decoder.layer[0].attention
    norm(cross.layer_norm)
    linear(cross.linear[0], DIMENSIONS, DIMENSIONS)
    linear(cross.linear[1], 2 * DIMENSIONS, DIMENSIONS)
    linear(cross.linear[2], DIMENSIONS, DIMENSIONS, mute=True)
    norm(decoder.layer_norm)
    decoder.embeddings.weight = np.zeros((tokens, DIMENSIONS), np.float32)
    places = np.zeros((448, DIMENSIONS), np.float32)
    places[np.arange(448), np.minimum(np.arange(448), len(script) - 1)] = 1
    decoder.position_encodings.encodings = places
    decoder.projection.weight = np.zeros((tokens, DIMENSIONS), np.float32)
    decoder.projection.weight[script, np.arange(len(script))] = 8


if __name__ == "__main__":
    make_model(Path(sys.argv[1]))
