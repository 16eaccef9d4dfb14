"""What a command tells its user instead of a traceback."""


class CommandError(Exception):
    """One clear sentence for stderr, without secrets; the command exits with `exit_code`."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
