"""The words for a session's status, which types can't derive from the lifecycle table, are those of the table."""

from typing import Any, get_args

from control_api.adapters.task_sessions.models import TaskStatus
from control_api.adapters.task_sessions.routes import WORDS
from control_api.sessions.bodies.presenter import HEX_STATUS_WORDS
from control_api.sessions.bodies.resource_models import HexStatusWord, StatusWord
from sessions.lifecycle.lifecycle import Status


def _words(annotated: Any) -> tuple[str, ...]:
    return get_args(get_args(annotated)[0])


def test_the_canonical_words_are_the_statuses_of_the_lifecycle() -> None:
    """All of them, in their order."""
    assert _words(StatusWord) == tuple(status.value for status in Status)


def test_every_status_has_a_word_in_the_style_of_hex_ids() -> None:
    """And every word of that style has a status."""
    assert set(HEX_STATUS_WORDS) == set(Status)
    assert set(HEX_STATUS_WORDS.values()) == set(_words(HexStatusWord))


def test_every_status_has_a_word_in_the_style_of_tasks() -> None:
    """And every word of that style has a status."""
    assert set(WORDS) == set(Status)
    assert set(WORDS.values()) == set(get_args(TaskStatus))
