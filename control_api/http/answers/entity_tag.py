"""ETags of the session resource (RFC 9110 §8.8.3): by version, usage, and participants where the answer has them."""

import hashlib

from aiohttp import web

from sessions.session import Session


def entity_tag(session: Session) -> str:
    """The opaque text of a strong tag, without quotes: nothing of the resource changes without it."""
    as_of = session.usage.as_of
    tag = f"{session.version}-{0 if as_of is None else int(as_of.timestamp() * 1000)}"
    if session.participants is None:
        return tag
    # Who comes is an event, and no change of the session's row.
    return f"{tag}-{hashlib.sha256(repr(session.participants).encode()).hexdigest()[:16]}"


def is_unchanged(request: web.Request, tag: str) -> bool:
    """Whether `If-None-Match` names the tag (weakly compared), or is `*`."""
    candidates = request.if_none_match or ()
    return any(candidate.value in (tag, "*") for candidate in candidates)
