"""What need not be recognized again: by id, or because most of it is logged under another one."""

from dataclasses import fields, replace
from typing import Any
from uuid import uuid4

import numpy as np

from audio.pcm import SPEECH_RATE
from audio.segments.track_tally import TrackLabel
from store.sessions.log.session_log import LogEntry
from worker.outputs.speech.logged_speech import LoggedSpeech
from worker.outputs.speech.utterances import Utterance

ANN = TrackLabel("ann", "Ann", "TR_1")


def entry(seq: int, **values: Any) -> LogEntry:
    """One of the log; what isn't said is None."""
    known: dict[str, Any] = dict.fromkeys(field.name for field in fields(LogEntry))
    known |= {"seq": seq, "session_id": uuid4(), "kind": "segment", "role": "user", "final": True, "source": "speech"}
    return LogEntry(**known | values)


def utterance(start_ms: int, end_ms: int, label: TrackLabel = ANN) -> Utterance:
    """Silence in the place of a voice."""
    samples = np.zeros((end_ms - start_ms) * SPEECH_RATE // 1000, dtype=np.int16)
    return Utterance(label, start_ms * SPEECH_RATE // 1000, samples)


def logged(start_ms: int, end_ms: int) -> LoggedSpeech:
    """What an utterance of Ann's left."""
    external_id = utterance(start_ms, end_ms).external_id
    return LoggedSpeech().with_entries([entry(7, external_id=external_id, start_ms=start_ms, end_ms=end_ms)])


def test_an_utterance_is_known_by_its_id_or_by_its_place() -> None:
    """On its own track; one that is mostly new is not known."""
    known = logged(1000, 3000)
    assert known.seq == 7
    assert known.has(utterance(1000, 9000))
    assert known.has(utterance(1100, 3100))
    assert not known.has(utterance(2500, 5000))
    assert not known.has(utterance(1100, 3100, TrackLabel("ann", "Ann", "TR_2")))
    assert not known.has(utterance(1100, 3100, TrackLabel("bob", "Bob", "TR_1")))


def test_who_goes_on_is_told_what_is_there_already() -> None:
    """What is logged of a track, to its last sample."""
    known = replace(logged(1000, 3000), heard_ms=500)
    assert known.told(ANN) == ((16_000, 48_016),)
    assert known.told(TrackLabel("ann", "Ann", "TR_2")) == ()
    assert logged(1000, 3000).told(ANN) == (), "who begins at the beginning parts everything as it was"
    words = entry(8, external_id="ann/TR_1/64000", start_ms=4300, end_ms=4700, words=[{"text": "Yes."}])
    assert known.with_entries([words]).told(ANN)[-1] == (64_000, 78_416), "a word ends before its utterance"


def test_endless_identities_are_not_taken_for_each_other() -> None:
    """Their ids are replaced by sums, which say nothing about a track."""
    ann, bob = (TrackLabel(who * 5000, "", "TR_1") for who in "ab")
    external_id = utterance(1000, 3000, ann).external_id
    known = LoggedSpeech().with_entries([entry(7, external_id=external_id, start_ms=1000, end_ms=3000)])
    assert known.has(utterance(1000, 3000, ann))
    assert not known.has(utterance(1100, 3000, bob))


def test_who_is_transcribed_by_others_and_who_speaks_for_the_other_side_is_learned() -> None:
    """From final texts only; from what we have logged ourselves nothing follows."""
    known = LoggedSpeech().with_entries(
        [
            entry(1, source="lk.transcription", identity="ann"),
            entry(2, source="lk.transcription", identity="bob", final=False),
            entry(3, source="lk.chat", identity="helper", role="assistant"),
            entry(4, identity="carol", role="assistant", external_id="carol/TR/1", start_ms=0, end_ms=1),
        ]
    )
    assert (set(known.transcribed), set(known.assistants), known.seq) == ({"ann"}, {"helper"}, 4)
    assert known.with_entries([]) is known
