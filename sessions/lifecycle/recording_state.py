"""What a session's recording can be."""

from typing import Literal

RecordingState = Literal[
    "none", "pending", "recording", "paused", "finalizing", "available", "incomplete", "failed", "deleted"
]
