"""`parley`, and `python -m parley`: how our processes start their children, whatever is on PATH."""

import sys

from parley.early_stop import stop_at_sigterm


def main() -> int:
    """Run the command line; returns its exit code. Told to stop before it has begun: 143, as if killed by SIGTERM."""
    stop_at_sigterm()
    from parley.cli import main as run  # takes a tenth of a second, and each command much longer

    return run()


if __name__ == "__main__":
    sys.exit(main())
