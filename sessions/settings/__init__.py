"""The one settings tree: frozen, a module per subject, and the source of docs/settings.md. It reads no environment."""

from sessions.settings.services import SpeechEngineName
from sessions.settings.settings import LogLevel, Settings
from sessions.settings.storing import StorageLinks

__all__ = ["LogLevel", "Settings", "SpeechEngineName", "StorageLinks"]
