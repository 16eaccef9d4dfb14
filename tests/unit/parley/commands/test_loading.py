"""How commands load their modules."""

import gc
import subprocess
import sys

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


def test_the_api_loads_nothing_of_what_runs_jobs_and_no_orm() -> None:
    """It defers jobs and reads tokens, by SQL and by their claims."""
    code = (
        "import sys\n"
        "from parley.commands.loading import loading\n"
        "with loading():\n"
        "    import parley.commands.api\n"
        "print(*sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout
    assert "control_api.server" in said.split()
    assert not {"procrastinate", "psycopg_pool", "jwt", "sqlalchemy.orm", "numpy"} & set(said.split())
