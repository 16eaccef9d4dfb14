"""From sessions that are over to figures: what holds of each of them, and what each fault cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audio.pcm import SAMPLE_RATE
from tests.support.rules.never_silently_wrong import Evidence
from tests.support.talkers.slots import SLOT_SECONDS, Sent, SlotTalker, Truth
from tools.figures.figure import Figure, Goal
from tools.figures.scene import Spoken

_BLOCK_SAMPLES = SAMPLE_RATE // 100
_AUDIBLE = 400.0  # a talker's slots have an RMS of 6000
MOST_SPOILT = 5.0
"""Percent of a talker's slots; with more of them the other figures tell too little."""

_BEFORE_SECONDS = 1.5  # what a fault loses may have been spoken so long before it


@dataclass(frozen=True, slots=True)
class Hurt:
    """An instant at which a session was hurt, in `time.time()`."""

    session_id: str
    at: float


def losses(spoken: Spoken, seen: Evidence, hurts: Sequence[Hurt]) -> list[float]:
    """The seconds of speech of the session's first talker that each fault of that session has cost, in their order."""
    [talker, *_] = spoken.talkers
    instants = [hurt.at for hurt in hurts if hurt.session_id == spoken.session_id]
    return lost_seconds(talker.sent, seen.truth_of(talker), instants)


def lost_seconds(sent: Sequence[Sent], truth: Truth, instants: Sequence[float]) -> list[float]:
    """What is missing, in seconds, by the fault that it is blamed on: the last one before it.

    Args:
        sent: with instants of the same clock as the faults'.
        instants: of the faults, ascending.
    """
    at = {slot.number: slot.at for slot in sent}
    begins = [instant - _BEFORE_SECONDS for instant in instants]
    lost = [
        sum(begin <= at[number] < end for number in truth.missing)
        for begin, end in zip(begins, [*begins[1:], float("inf")], strict=False)
    ]
    return [round(slots * SLOT_SECONDS, 3) for slots in lost]  # 3 × 0.1 is more than 0.3


def of_every_session(spoken: Sequence[Spoken], evidence: Sequence[Evidence]) -> list[Figure]:
    """The rule that holds whatever happened: one value per talker, or per session.

    What is billed, less what is given back, is compared with the time in which something is audible in the file:
    talkers speak all the time.
    """
    truths = [seen.truth_of(talker) for one, seen in zip(spoken, evidence, strict=True) for talker in one.talkers]
    errors = [ledger_error(seen) for seen in evidence]
    talkers = [talker for one in spoken for talker in one.talkers]
    return [
        Figure("spoilt by a busy machine, per talker", "%", Goal("max", MOST_SPOILT), tuple(map(spoilt, talkers))),
        Figure("undeclared speech, per talker", "slots", Goal("max", 0), tuple(len(t.undeclared) for t in truths)),
        Figure("falsely declared speech, per talker", "slots", Goal("max", 0), tuple(len(t.false) for t in truths)),
        Figure("billed and not heard, per session", "%", Goal("max", 1), tuple(max(error, 0) for error in errors)),
        Figure("heard and not billed, per session", "%", Goal("max", 1), tuple(max(-error, 0) for error in errors)),
        Figure(
            "receipts that do not balance",
            "",
            Goal("max", 0),
            tuple(float(not seen.receipt["balances"]) for seen in evidence),
        ),
    ]


def spoilt(talker: SlotTalker) -> float:
    """The share of a talker's slots, in percent, of which nothing can be said: this machine was too busy."""
    return 100 * len(talker.torn) / len(talker.sent) if talker.sent else 0.0


def ledger_error(evidence: Evidence) -> float:
    """What is billed beyond what is heard, in percent of that; negative when it is less."""
    usage = evidence.session["usage"]
    billed_ms = usage["billable_ms"] - usage["credited_ms"]
    heard_ms = audible_ms(evidence)
    return (billed_ms - heard_ms) / heard_ms * 100 if heard_ms else float("inf")


def audible_ms(evidence: Evidence) -> float:
    """Blocks of 10 ms in which somebody is heard."""
    whole = len(evidence.samples) // _BLOCK_SAMPLES * _BLOCK_SAMPLES
    blocks = evidence.samples[:whole].reshape(-1, _BLOCK_SAMPLES).astype(np.float64)
    return float(np.count_nonzero(np.sqrt(np.mean(blocks**2, axis=1)) > _AUDIBLE)) * 10
