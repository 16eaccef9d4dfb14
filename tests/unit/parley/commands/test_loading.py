"""How commands load their modules."""

import gc

from parley.commands.loading import loading


def test_what_is_loaded_is_not_looked_at_again_and_the_collector_goes_on() -> None:
    """Off in the block, on after it, and everything that was made in it is out of its sight."""
    with loading():
        assert not gc.isenabled()
        made = [object()]
        assert any(one is made for one in gc.get_objects())
    assert gc.isenabled()
    assert not any(one is made for one in gc.get_objects())
    assert gc.get_freeze_count() > 0
