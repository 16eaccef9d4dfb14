"""What a command tells its user instead of a traceback."""

import os


class CommandError(Exception):
    """One clear sentence for stderr, without secrets; the command exits with `exit_code`."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def cannot_listen(server: str, host: str, port: int, error: OSError) -> CommandError:
    """What to say when a port can't be opened; `server` is the word in PARLEY_<server>_PORT."""
    reason = os.strerror(error.errno) if error.errno else "no such address"
    return CommandError(f"PARLEY_{server}_PORT: can't listen on {host}:{port}: {reason}")
