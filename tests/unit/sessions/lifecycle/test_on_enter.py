"""What entering a state means, against an expectation that is written down independently."""

from dataclasses import fields
from typing import get_args

import pytest

from sessions.lifecycle.lifecycle import ACTIVE, TERMINAL, Status
from sessions.lifecycle.on_enter import FIRST_ONLY, ON_ENTER, Stamp
from sessions.lifecycle.recording_state import RecordingState
from sessions.session import Session

# state, `recording_state`, stamps (- where there is none, * where the first value stays)
EXPECTED = """
created   -          -
queued    -          queued_at
starting  pending    -
running   recording  started_at* running_since
paused    paused     paused_at
ending    finalizing ending_at*
ended     none       ending_at* ended_at finished_at
failed    none       ending_at* failed_at finished_at
canceled  none       ending_at* finished_at
"""
ROWS = {row[0]: row[1:] for row in map(str.split, EXPECTED.strip().splitlines())}


def test_every_state_has_an_entry() -> None:
    """A state that is added has to be added there, and here."""
    assert set(ON_ENTER) == set(Status)
    assert set(ROWS) == {str(status) for status in Status}


@pytest.mark.parametrize("status", list(Status))
def test_the_entry_says_what_it_should(status: Status) -> None:
    """Its recording state, its stamps, and which of them are set only once."""
    recording, *stamps = ROWS[status]
    entry = ON_ENTER[status]

    assert (entry.recording or "-") == recording
    shown = [f"{stamp}*" if stamp in FIRST_ONLY else stamp for stamp in entry.stamps]
    assert (shown or ["-"]) == stamps


def test_terminal_states_are_stamped_and_no_others_are() -> None:
    """Retention, lists and bills count from `finished_at`."""
    assert {status for status in Status if "finished_at" in ON_ENTER[status].stamps} == TERMINAL
    assert {status for status in Status if f"{status}_at" in ON_ENTER[status].stamps} >= {Status.ENDED, Status.FAILED}


def test_only_a_session_that_runs_again_loses_a_stamp() -> None:
    """It is not paused any more."""
    assert {status: entry.cleared for status, entry in ON_ENTER.items() if entry.cleared} == {
        Status.RUNNING: ("paused_at",)
    }


def test_every_word_of_the_table_is_one_of_the_session() -> None:
    """Stamps are fields of a session, and each of them belongs to some state."""
    assert set(get_args(Stamp)) <= {field.name for field in fields(Session)}
    assert {stamp for entry in ON_ENTER.values() for stamp in entry.stamps} == set(get_args(Stamp))
    assert {entry.recording for entry in ON_ENTER.values()} - {None} <= set(get_args(RecordingState))
    assert all(ON_ENTER[status].recording != "none" for status in ACTIVE)
