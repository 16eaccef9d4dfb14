"""Which sentences are central: those that many others resemble."""

import numpy as np

from worker.outputs.summary.lexrank import lexrank


def test_what_many_sentences_resemble_is_most_central() -> None:
    """The hub is above its spokes, and what has no word in common with anybody is last."""
    scores = lexrank(
        [
            ["invoice", "sent", "friday"],
            ["invoice", "paid"],
            ["report", "friday"],
            ["weather", "rain"],
            ["holiday", "july"],
            ["parking", "garage"],
        ]
    )
    assert int(scores.argmax()) == 0
    assert scores[1] > 0
    assert np.isfinite(scores).all()


def test_sentences_without_a_resemblance_are_equal() -> None:
    """No division by zero, no endless loop."""
    assert lexrank([["a"], []]).tolist() == [0.0, 0.0]
    alone = lexrank([["a"], ["b"], ["c"]])
    assert len(set(alone.round(9).tolist())) == 1
