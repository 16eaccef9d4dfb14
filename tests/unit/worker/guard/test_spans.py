"""What recorder processes and the guard write to each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.guard.spans import Spans
from worker.guard.traffic import Traffic, read, written

_INSTANTS = st.floats(0, 1e9)


@given(st.lists(st.tuples(_INSTANTS, _INSTANTS | st.just(math.inf)), min_size=1, max_size=5).map(tuple))
def test_spans_are_read_as_they_were_written(spans: tuple[tuple[float, float], ...]) -> None:
    """Ends that are not known yet, too."""
    wanted = Spans(spans[0], spans[1:])
    assert Spans.read(wanted.text()) == wanted


@pytest.mark.parametrize("text", ["", "[]", "[1]", "[[1]]", '[["a", 2]]', "{}", "null", "[" * 50_000])
def test_other_texts_are_no_spans(text: str) -> None:
    """One error for all of them."""
    with pytest.raises(ValueError):
        Spans.read(text)


def test_traffic_is_read_as_it_was_written() -> None:
    """And nothing else passes for it."""
    traffic = [Traffic(1.5, 3, 0.25), Traffic(2.5, 0, 0.0)]
    assert read(written(traffic)) == traffic
    for body in (b"", b"[1]", b"[[1, 2]]", b"1"):
        with pytest.raises(ValueError):
            read(body)
