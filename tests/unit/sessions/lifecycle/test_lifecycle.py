"""The lifecycle table, against an expectation that is written down independently."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.errors import ParleyError
from sessions.lifecycle.lifecycle import (
    ACTIVE,
    ALIASES,
    SETTLED,
    STOPS,
    TERMINAL,
    TRANSITIONS,
    Event,
    Status,
    advance,
    commit_event,
    sources,
)

# Rows: states. Columns: events, in this order.
EXPECTED = """
created   queued running -        -       -      -       canceled canceled failed -     -      -
queued    -      -       starting -       -      -       canceled canceled failed -     -      -
starting  -      -       starting running -      -       canceled canceled failed -     -      -
running   -      -       running  -       paused -       ending   ending   ending -     -      -
paused    -      -       paused   -       -      running ending   ending   ending -     -      -
ending    -      -       -        -       -      -       -        -        -      ended failed canceled
ended     -      -       -        -       -      -       -        -        -      -     -      -
failed    -      -       -        -       -      -       -        -        -      -     -      -
canceled  -      -       -        -       -      -       -        -        -      -     -      -
"""
COLUMNS = ["due", "open", "claim", "joined", "pause", "resume", "end", "cancel", "fail"]
COLUMNS += ["commit_ended", "commit_failed", "commit_canceled"]
TABLE = {
    (row[0], event): target
    for row in map(str.split, EXPECTED.strip().splitlines())
    for event, target in zip(COLUMNS, row[1:], strict=True)
}


@pytest.mark.parametrize(("status", "event"), list(itertools.product(Status, Event)))
def test_every_state_takes_exactly_the_events_that_it_should(status: Status, event: Event) -> None:
    """A move leads to the one expected state; everything else raises and changes nothing."""
    target = TABLE[status, event]
    if target == "-":
        with pytest.raises(ParleyError, match=r"transition\.invalid"):
            advance(status, event)
    else:
        assert advance(status, event) == target


def test_the_expectation_is_exhaustive() -> None:
    """A state or an event that is added has to be added here."""
    assert set(TABLE) == {(str(status), str(event)) for status, event in itertools.product(Status, Event)}
    assert set(TRANSITIONS) == set(Status)


@pytest.mark.parametrize("event", list(Event))
def test_sql_guards_list_the_states_that_take_the_event(event: Event) -> None:
    """`sources` is the table read by columns."""
    assert sources(event) == {status for status in Status if TABLE[status, event] != "-"}


def test_the_aliases_split_all_states() -> None:
    """Active and terminal: every state is one of them."""
    assert {"ended", "failed", "canceled"} == TERMINAL
    assert ALIASES == {"active": ACTIVE, "terminal": TERMINAL}
    assert set(Status) - TERMINAL == ACTIVE
    assert TERMINAL | {"ending"} == SETTLED


@pytest.mark.parametrize("outcome", ["ended", "failed", "canceled"])
def test_a_commit_leads_to_its_outcome(outcome: str) -> None:
    """Each outcome has the commit that carries it out."""
    assert advance(Status.ENDING, commit_event(outcome)) == outcome  # type: ignore[arg-type]


def test_each_outcome_has_the_stop_that_leads_to_it() -> None:
    """Whatever stops a session that runs: it is `ending`, and its commit is that of the outcome."""
    assert set(STOPS) == {"ended", "failed", "canceled"}
    assert len(set(STOPS.values())) == len(STOPS)
    for outcome, event in STOPS.items():
        assert advance(advance(Status.RUNNING, event), commit_event(outcome)) == outcome


@given(st.lists(st.sampled_from(Event), max_size=40))
def test_no_walk_leaves_a_settled_session_or_skips_the_recording(events: list[Event]) -> None:
    """Whatever happens, terminal is for ever, and what ran passes through `ending`."""
    walked = [Status.CREATED]
    for event in events:
        if event in TRANSITIONS[walked[-1]]:
            walked.append(advance(walked[-1], event))
    for before, after in itertools.pairwise(walked):
        assert before not in TERMINAL
        if before in {Status.RUNNING, Status.PAUSED}:
            assert after in {Status.RUNNING, Status.PAUSED, Status.ENDING}
