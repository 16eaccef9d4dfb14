"""Says in the log why the storage fails: each cause once, and again when it lasts."""

import time

import structlog

from store.objects.errors import StorageError

_AGAIN_SECONDS = 600.0

_log = structlog.get_logger(__name__)


class TroubleLog:
    """What one process has said of one storage."""

    def __init__(self) -> None:
        self._said_at: dict[str, float] = {}

    def note(self, error: StorageError) -> None:
        """Say the cause, unless there is none or it was said within the last ten minutes."""
        cause = error.cause
        if cause is None:
            return
        now = time.monotonic()
        if now - self._said_at.get(cause.text, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            return
        self._said_at[cause.text] = now
        _log.error("storage.trouble", code=error.code, cause=cause.text, status=cause.status, answer=cause.code)
