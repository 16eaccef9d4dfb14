"""Commands that look after an installation begin none."""

from pathlib import Path

import pytest

from parley.command_error import CommandError
from parley.installation.installation import open_existing_installation
from sessions.settings import Settings


def test_a_folder_in_which_nothing_ever_ran_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """A key that was made there would be for a database that no API uses."""
    with pytest.raises(CommandError, match=f"there is no installation in {tmp_path}: name its folder"):
        open_existing_installation(Settings(data_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []
