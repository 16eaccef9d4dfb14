"""Mints tokens for our own LiveKit server, as the owner of a room would."""

from datetime import timedelta

from livekit import api

_TTL = timedelta(hours=6)


def recorder_token(key: str, secret: str, room: str, identity: str = "parley-recorder") -> str:
    """For the worker: it hears everything, nobody sees it, and it keeps no room open."""
    grants = api.VideoGrants(
        room_join=True, room=room, can_subscribe=True, can_publish=False, hidden=True, recorder=True
    )
    return _mint(key, secret, identity, grants)


def participant_token(key: str, secret: str, room: str, identity: str, name: str = "") -> str:
    """For somebody who talks, and is called `name`."""
    return _mint(key, secret, identity, api.VideoGrants(room_join=True, room=room), name)


def _mint(key: str, secret: str, identity: str, grants: api.VideoGrants, name: str = "") -> str:
    token = api.AccessToken(key, secret).with_identity(identity).with_name(name)
    return token.with_ttl(_TTL).with_grants(grants).to_jwt()
