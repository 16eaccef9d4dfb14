"""What was logged, as events."""

import io
import json
from typing import Any


def logged(log: io.StringIO, event: str) -> list[dict[str, Any]]:
    """The lines of one event, of what the fixture `log` has taken.

    structlog's own `capture_logs` misses loggers that were used before, in another test.
    """
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == event]
