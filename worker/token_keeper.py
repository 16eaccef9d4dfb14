"""The token to join with: the customer's, then whatever the LiveKit server refreshed."""

from datetime import datetime

from pydantic import SecretStr

from sessions.errors import ParleyError
from sessions.worker_token import read_worker_token


class TokenKeeper:
    """Keeps the newest token of one run. Never prints it."""

    def __init__(self, token: SecretStr, room_name: str) -> None:
        self.token = token
        self._room_name = room_name

    def current(self) -> SecretStr:
        """The token for the next join."""
        return self.token

    def refresh(self, token: SecretStr, now: datetime) -> datetime | None:
        """Take a refreshed token; returns when it expires, None when it is not usable."""
        try:
            claims = read_worker_token(token, now=now, room_name=self._room_name)
        except ParleyError:
            return None
        self.token = token
        return claims.expires_at
