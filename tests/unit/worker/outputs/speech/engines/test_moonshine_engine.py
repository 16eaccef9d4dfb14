"""The embedded engine on real speech, and on all that is no English: it understands, or says that it does not."""

import asyncio
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest

from audio.pcm import SPEECH_RATE, Pcm
from audio.segments.track_tally import TrackLabel
from audio.track_audio import TrackPiece
from bench.measuring.word_errors import word_errors
from tests.support.talkers.packaged_speech import (
    librivox_sentences,
    music_on_hold,
    synthetic_speech,
    telephone_prompts,
)
from worker.outputs.speech.engines import moonshine_engine
from worker.outputs.speech.engines.engine import Recognized, SpeechError
from worker.outputs.speech.engines.model_files import model_file
from worker.outputs.speech.engines.moonshine_engine import MoonshineEngine
from worker.outputs.speech.engines.moonshine_vocabulary import read_vocabulary, spelled
from worker.outputs.speech.utterances import find_utterances

SECONDS = np.arange(8 * SPEECH_RATE) / SPEECH_RATE
ALICE = TrackLabel(identity="alice", name="Alice", sid="TR_1", side="room")
DTMF = {"5": (770, 1336), "0": (941, 1336), "9": (852, 1477)}
FOREIGN = {  # espeak-ng's voices
    "de": "Guten Morgen, ich wollte fragen, ob wir den Termin am Donnerstag auf die nächste Woche verschieben können.",
    "nl": "Goedemorgen, ik wilde vragen of we de afspraak van donderdag naar volgende week kunnen verplaatsen.",
    "pl": "Dzień dobry, chciałem zapytać, czy możemy przełożyć czwartkowe spotkanie na przyszły tydzień.",
    "pt": "Bom dia, eu queria perguntar se podemos mudar a reunião de quinta-feira para a próxima semana.",
    "sv": "God morgon, jag ville fråga om vi kan flytta mötet på torsdag till nästa vecka.",
    "tr": "Günaydın, perşembe günkü toplantıyı gelecek haftaya alabilir miyiz diye sormak istedim.",
}
PROMPTS = ("conf-adminmenu", "vm-nobox")
VOICES = {"es": "es_MX_f_Allison", "fr": "fr_CA_f_June", "it": "it_IT_m_Carlo", "ru": "ru_RU_f_IvrvoiceRU"}


@pytest.fixture(scope="module")
def engine() -> MoonshineEngine:
    """Loading takes a third of a second."""
    return MoonshineEngine()


def hear(engine: MoonshineEngine, pcm: Pcm) -> list[Recognized]:
    """As the speech process hears a track: voice gate, then engine."""
    track = np.concatenate([pcm, np.zeros(SPEECH_RATE, dtype=np.int16)])
    found = find_utterances([[TrackPiece(ALICE, 0, track)]])
    return [asyncio.run(engine.recognize(utterance.pcm)) for utterance in found]


def noise(rms: float) -> Pcm:
    """White."""
    return np.random.default_rng(5).normal(0, rms, len(SECONDS)).astype(np.int16)


def brown_noise() -> Pcm:
    """Wind on a microphone."""
    steps = np.cumsum(np.random.default_rng(6).normal(0, 1, len(SECONDS)))
    steps -= np.convolve(steps, np.ones(801) / 801, mode="same")
    loud: Pcm = (steps / np.abs(steps).max() * 16000).astype(np.int16)
    return loud


def keys(pressed: str) -> Pcm:
    """A telephone's keys, a fifth of a second each."""
    one = SECONDS[: SPEECH_RATE // 5]
    pause = np.zeros(SPEECH_RATE // 10)
    tones = [np.concatenate([sum(np.sin(2 * np.pi * hz * one) for hz in DTMF[key]), pause]) for key in pressed]
    played: Pcm = (8000 * np.concatenate(tones)).astype(np.int16)
    return played


def test_real_speech_is_understood(engine: MoonshineEngine) -> None:
    """At most one word in ten is wrong (measured: 3 %), also where sentences follow each other, and in 15 s as one."""
    sentences = librivox_sentences()
    errors = [word_errors(said, " ".join(one.text for one in hear(engine, pcm))) for pcm, said in sentences]
    wrong, words = (sum(column) for column in zip(*errors, strict=True))
    assert words > 60
    assert wrong / words <= 0.10

    nonstop = hear(engine, np.concatenate([pcm for pcm, _ in sentences]))
    wrong, words = word_errors(" ".join(said for _, said in sentences), " ".join(one.text for one in nonstop))
    assert wrong / words <= 0.10
    assert len(nonstop) >= 3, "parted at its short pauses"

    longest = np.concatenate([pcm for pcm, _ in sentences])[: 15 * SPEECH_RATE]
    recognized = asyncio.run(engine.recognize(longest))
    assert recognized.reason is None
    assert recognized.text.startswith("And Mr. John Dashwood had then leisure")
    assert len(recognized.text.split()) > 30
    assert (recognized.language, recognized.words) == ("en", ())
    assert recognized.confidence is not None
    assert 0.6 < recognized.confidence <= 1


@pytest.mark.parametrize(
    "sound",
    [
        lambda: np.zeros(8 * SPEECH_RATE, dtype=np.int16),
        lambda: noise(30),
        lambda: noise(3000),
        brown_noise,
        lambda: (3000 * np.sin(2 * np.pi * 50 * SECONDS)).astype(np.int16),
        lambda: (8000 * np.sin(2 * np.pi * 440 * SECONDS)).astype(np.int16),
        lambda: keys("509905590509"),
    ],
    ids=["silence", "hiss", "white noise", "brown noise", "hum", "a tone", "keys"],
)
def test_sounds_without_a_voice_have_no_text(engine: MoonshineEngine, sound: Callable[[], Pcm]) -> None:
    """The voice gate keeps them from the engine."""
    assert hear(engine, sound()) == []


@pytest.mark.parametrize(
    "sound", [np.zeros(1, dtype=np.int16), noise(300), brown_noise()], ids=["a sample", "a hiss", "brown noise"]
)
def test_the_engine_alone_invents_nothing_from_them(engine: MoonshineEngine, sound: Pcm) -> None:
    """A voice gate errs now and then; this model has made "You", notes and Thai of noise."""
    assert asyncio.run(engine.recognize(sound)).text == ""


@pytest.mark.parametrize("piece", ["macroform-cold_day", "reno_project-system"])
def test_music_has_no_text(engine: MoonshineEngine, piece: str) -> None:
    """Music on hold of real switchboards."""
    assert [one.text for one in hear(engine, music_on_hold(piece)) if one.text] == []


@pytest.mark.parametrize("language", VOICES)
def test_real_speech_of_other_languages_has_no_text(engine: MoonshineEngine, language: str) -> None:
    """It is there, without text, so that a reader sees that somebody spoke."""
    heard = [one for pcm in telephone_prompts(VOICES[language], language, PROMPTS) for one in hear(engine, pcm)]
    assert [one.text for one in heard if one.text] == []
    assert {"not_understood"} == {one.reason for one in heard}
    assert {None} == {one.language for one in heard}


@pytest.mark.parametrize("language", FOREIGN)
def test_other_languages_have_no_text(engine: MoonshineEngine, language: str) -> None:
    """The same from a synthesizer, for which no real speech is packaged."""
    heard = hear(engine, synthetic_speech(language, FOREIGN[language]))
    assert [one.text for one in heard if one.text] == []
    assert {"not_understood"} == {one.reason for one in heard}


def test_a_phrase_again_and_again_is_no_speech() -> None:
    """Such models go round in circles, and are sure of it; people say things twice."""
    round_and_round = moonshine_engine._goes_round
    assert round_and_round([1, 9, 9, 9, 9])
    assert round_and_round([1, 7, 5, 6, 8, 5, 6, 8, 5, 6, 8])
    assert not round_and_round([1, 9, 9, 9])
    assert not round_and_round([1, 7, 5, 6, 8, 5, 6, 8])
    assert not round_and_round([1, 3, 4, 3, 4, 3, 4]), "no, no, no,"


def test_tokens_are_spelled_with_blanks_and_without_marks() -> None:
    """Lengths of two bytes, bytes of one character in two tokens."""
    vocabulary = read_vocabulary(
        b"\x05<unk>\x03<s>\x04</s>" + b"\x05\xe2\x96\x81hi" + b"\x81\x01" + b"x" * 129 + b"\x01\xc3\x01\xa9"
    )
    assert [len(token) for token in vocabulary] == [5, 3, 4, 5, 129, 1, 1]
    assert spelled([1, 3, 5, 6, 2], vocabulary) == "hié"


def test_a_model_that_is_missing_or_another_one_is_not_opened() -> None:
    """A later wheel has other files, or none."""
    name = "moonshine_voice/assets/tiny-en/tokenizer.bin"
    for package, wanted, sha256, reason in (
        ("no-such-package", name, "00", "is missing"),
        ("moonshine-voice", f"{name}.x", "00", "is missing"),
        ("moonshine-voice", name, "00", "is not the model"),
    ):
        with pytest.raises(SpeechError, match=reason) as failure:
            model_file(package, wanted, sha256)
        assert failure.value.code == "speech.engine_missing"


def test_the_wheels_code_is_not_imported(engine: MoonshineEngine) -> None:
    """It would bring downloads, sound devices and threads of its own."""
    import sys

    assert "moonshine_voice" not in sys.modules
    assert Path(str(distribution("moonshine-voice").locate_file("moonshine_voice"))).is_dir()
