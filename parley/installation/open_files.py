"""How many files this process may have open."""

import resource
import sys


def raise_open_files() -> int:
    """Raise the soft limit to the hard one, which needs no rights; what is started from here on has it, too.

    Returns:
        The limit that holds now.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # some systems say "unlimited" and mean less
            return _number(soft)
    return _number(hard)


def _number(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit
