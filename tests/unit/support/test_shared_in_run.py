"""What the processes of a run share is made once and removed once."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.test_run.shared_in_run import shared_in_run


def test_the_first_one_makes_it_and_the_last_one_removes_it(tmp_path: Path) -> None:
    """However many come and go in between; whoever comes after the last one makes it again."""
    done: list[str] = []

    def shared() -> ExitStack:
        held = ExitStack()
        held.enter_context(
            shared_in_run(tmp_path, "it", make=lambda: done.append("made"), remove=lambda: done.append("removed"))
        )
        return held

    first, second = shared(), shared()
    first.close()
    third = shared()
    second.close()
    assert done == ["made"]
    third.close()
    assert done == ["made", "removed"]
    shared().close()
    assert done == ["made", "removed"] * 2


def test_what_was_not_made_is_made_by_the_next_one(tmp_path: Path) -> None:
    """An error while making is the first one's alone."""
    done: list[str] = []

    def fail() -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"), shared_in_run(tmp_path, "it", make=fail, remove=fail):
        pass
    with shared_in_run(tmp_path, "it", make=lambda: done.append("made"), remove=lambda: done.append("removed")):
        assert done == ["made"]
    assert done == ["made", "removed"]
