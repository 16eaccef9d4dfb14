"""The Content-Security-Policy of a page: what is ours, and by name whatever else it needs."""

import re
from collections.abc import Sequence

# What a LiveKit server may be called in a policy: scheme, host, port. A policy's own signs have no place in it.
_LIVEKIT = re.compile(r"(?:ws|wss|http|https)://((?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?)/?")


def page_policy(nonce: str, *, media: Sequence[str] = (), livekit: str | None = None) -> str:
    """The header's value.

    Args:
        nonce: of the style elements that the waveform's own tree holds.
        media: origins besides ours that recordings are played from.
        livekit: the server that the page talks to, as its reader typed it; what is no address is left out.
    """
    found = None if livekit is None else _LIVEKIT.fullmatch(livekit)
    servers = [] if found is None else [f"{scheme}://{found[1]}" for scheme in ("ws", "wss", "http", "https")]
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            " ".join(("media-src", "'self'", "blob:", *media)),
            " ".join(("connect-src", "'self'", *servers)),
            "base-uri 'self'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
