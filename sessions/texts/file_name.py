"""What a recording's file is called where it is saved, and how HTTP says it."""

import re
import unicodedata
from datetime import UTC, datetime
from urllib.parse import quote

from sessions.audio_formats import AudioFormat

_MOST_CHARACTERS = 100
_IN_PATHS = re.compile(r'[/\\:*?"<>|%]')  # somewhere a part of a path, or of another header's grammar
_NOT_QUOTED = "!#$&+-.^_`|~"  # attr-char of RFC 8187, besides letters and digits


def recording_file_name(
    title: str | None, started_at: datetime | None, form: AudioFormat, identity: str | None = None
) -> str:
    """`{title} {date} {time} {identity}.{form}`, times in UTC; what no file system takes is left out."""
    words = [_plain(title or "") or "Conversation"]
    if started_at is not None:
        words.append(started_at.astimezone(UTC).strftime("%Y-%m-%d %H.%M"))
    if identity is not None:
        words.append(_plain(identity))
    return f"{' '.join(words).strip()}.{form}"


def content_disposition(name: str) -> str:
    """`inline` with the name: in UTF-8 (RFC 8187), and in ASCII for those who don't know that (RFC 6266 §4.3)."""
    plain = name.encode("ascii", errors="replace").decode().replace("?", "_")
    if plain == name:
        return f'inline; filename="{plain}"'
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_NOT_QUOTED)}"


def _plain(text: str) -> str:
    printable = "".join(" " if unicodedata.category(one).startswith("C") else one for one in text)
    words = _IN_PATHS.sub(" ", printable).split()
    return " ".join(words)[:_MOST_CHARACTERS].strip(" .")
