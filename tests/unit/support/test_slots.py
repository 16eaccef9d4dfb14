"""The checker of recordings finds what was planted, and nothing else."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.talkers.slots import (
    SAMPLE_RATE,
    SLOT_SAMPLES,
    SLOT_SECONDS,
    Sent,
    SlotVoice,
    compare,
    spoilt_by_standstill,
)

ANN, BOB = SlotVoice(0), SlotVoice(1)
SLOTS = 80
DELAY = 0.05


def spoken(*voices: SlotVoice, delay: float = DELAY) -> NDArray[np.int16]:
    """A recording of eight seconds in which all slots of these talkers are, so much after they were spoken."""
    mix = np.zeros(SLOTS * SLOT_SAMPLES + SAMPLE_RATE, dtype=np.int16)
    first = round(delay * SAMPLE_RATE)
    for voice in voices:
        for number in range(SLOTS):
            start = first + number * SLOT_SAMPLES
            mix[start : start + SLOT_SAMPLES] += voice.slot(number)
    return mix


def gap(start: float, end: float) -> dict[str, Any]:
    """In seconds."""
    return {"start_ms": round(start * 1000), "end_ms": round(end * 1000), "code": "gap.rejoin"}


SENT = [Sent(number, number * SLOT_SECONDS) for number in range(SLOTS)]


@pytest.mark.parametrize("voice", [ANN, BOB])
def test_every_slot_is_found_where_it_lies(voice: SlotVoice) -> None:
    """Alone and in a mix."""
    for mix in (spoken(voice), spoken(ANN, BOB)):
        truth = compare(mix, voice, SENT, [], identity="ann")
        assert (truth.lost, truth.undeclared, truth.false) == (0, [], [])
        assert truth.heard > SLOTS - 10
        assert abs(truth.delay - DELAY) < 0.011
        assert truth.placing < 0.011


@given(number=st.integers(0, 100_000), late=st.floats(0.15, 60))
@example(number=17_736, late=1.1)  # where the quotient of times is rounded down
def test_a_talker_whose_machine_stood_still_goes_on_in_time(number: int, late: float) -> None:
    """With the next slot whose time has not come; nothing can be said of those before, nor of the one that it cut."""
    begun = 1000.0
    now = begun + number * SLOT_SECONDS + late
    spoilt = spoilt_by_standstill(number, begun, now)
    assert spoilt.start == number - 1
    assert 0 <= begun + spoilt.stop * SLOT_SECONDS - now < SLOT_SECONDS + 1e-6


@given(first=st.integers(6, 60), count=st.integers(1, 10))
@settings(max_examples=20)
def test_silence_that_no_gap_names_is_found(first: int, count: int) -> None:
    """Exactly the slots that are gone; named they are no fault, and without the others' silence neither."""
    start, end = first * SLOT_SECONDS + DELAY, (first + count) * SLOT_SECONDS + DELAY
    mix = spoken(ANN)
    mix[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] = 0
    gone = list(range(first, first + count))

    assert compare(mix, ANN, SENT, [], identity="ann").undeclared == gone
    assert compare(mix, ANN, SENT, [gap(start, end)], identity="ann").undeclared == []
    assert compare(mix + spoken(BOB), BOB, SENT, [], identity="ann").undeclared == []


def test_a_gap_that_names_good_speech_is_found() -> None:
    """What lies deeper in it than its edges may be wrong."""
    truth = compare(spoken(ANN), ANN, SENT, [gap(2.04, 3.06)], identity="ann")
    assert truth.false == list(range(22, 28))
    assert compare(spoken(ANN), ANN, SENT, [gap(2.05, 2.4)], identity="ann").false == []


def test_what_is_missing_of_one_says_nothing_of_another() -> None:
    """A gap of bob's neither excuses ann's silence nor forbids her speech."""
    hole = [{**gap(2, 3), "identity": "bob"}]
    assert compare(spoken(ANN), ANN, SENT, hole, identity="ann").false == []
    assert compare(spoken(ANN), ANN, SENT, hole, identity="bob").false != []
    silent = np.zeros_like(spoken(ANN))
    silent[: 2 * SAMPLE_RATE] = spoken(ANN)[: 2 * SAMPLE_RATE]
    assert compare(silent, ANN, SENT, hole, identity="bob").undeclared[0] > 28
    assert compare(silent, ANN, SENT, hole, identity="ann").undeclared[0] < 22


def test_slots_that_lie_elsewhere_are_misplaced() -> None:
    """Half a second of speech that came 200 ms late is heard, but shows in the placing."""
    mix = spoken(ANN)
    late = mix.copy()
    late[2 * SAMPLE_RATE : 4 * SAMPLE_RATE] = 0
    moved = mix[2 * SAMPLE_RATE : 3 * SAMPLE_RATE + SAMPLE_RATE // 2]
    late[2 * SAMPLE_RATE + SAMPLE_RATE // 5 :][: len(moved)] = moved
    assert compare(late, ANN, SENT, [], identity="ann").placing > 0.15


def test_speech_that_comes_twice_too_loud_or_too_quiet() -> None:
    """A level of a quarter is still heard, a tenth is not."""
    assert compare((spoken(ANN) // 3).astype(np.int16), ANN, SENT, [], identity="ann").lost == 0
    assert compare((spoken(ANN) // 10).astype(np.int16), ANN, SENT, [], identity="ann").heard == 0
