"""`python -m tools.attack.lone_guard FD`: the guard's process without a worker, on the listening socket `FD`."""

import sys

from parley.commands.children.guard import run_guard
from parley.installation.logging import configure_logging
from parley.installation.settings_loading import load_settings

if __name__ == "__main__":
    settings = load_settings()
    configure_logging(settings.log_level, process="guard")
    sys.exit(run_guard(settings, int(sys.argv[1])))
