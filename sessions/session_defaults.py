"""What a new session is like unless its creator says otherwise."""

from sessions.billing.usage import Quality
from sessions.session import RecordingOptions, TranscriptionOptions

QUALITY: Quality = "standard"
MAX_DURATION_SECONDS = 3600  # or the most that the server allows, if that is less
IDLE_TIMEOUT_SECONDS = 30
RECORDING = RecordingOptions(layout="mono", on_pause="silence")
TRANSCRIPTION = TranscriptionOptions(mode="after", language=None)
