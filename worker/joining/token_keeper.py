"""The token to join with: the customer's, one that the LiveKit server refreshed, or a newer one of the customer's."""

from contextlib import suppress
from datetime import datetime

from pydantic import SecretStr

from sessions.destinations.worker_token import read_worker_token
from sessions.errors import DatabaseError, ParleyError
from store.access.vault import TokenUnreadableError
from store.database.until_answered import until_answered
from store.runs.fence import Fence, Replaced
from store.runs.runs import Runs


class TokenKeeper:
    """Keeps the newest token of one run, and never logs it.

    Args:
        token: as the claim read it.
    """

    def __init__(self, runs: Runs, fence: Fence, token: SecretStr, room_name: str) -> None:
        self._runs = runs
        self._fence = fence
        self._token = token
        self._room_name = room_name
        self._just_read = True
        self._unsaved = False

    async def newest(self) -> SecretStr:
        """The token for the next join. From the second join on the store is asked: the customer may have replaced it.

        Raises:
            Replaced: another run has the session.
        """
        if self._just_read or self._unsaved:
            self._just_read = False
            return self._token
        try:
            stored = await self._runs.newest_token(self._fence)
        except (DatabaseError, TokenUnreadableError):
            return self._token
        if stored is not None and not self._unsaved:
            self._token = stored
        return self._token

    def refresh(self, token: SecretStr, now: datetime) -> datetime | None:
        """Take a refreshed token, which is to be saved; returns when it expires, None when it is not usable."""
        try:
            claims = read_worker_token(token, now=now, room_name=self._room_name)
        except ParleyError:
            return None
        self._token = token
        self._unsaved = True
        return claims.expires_at

    async def save(self, token: SecretStr, expires_at: datetime) -> None:
        """Store a refreshed token for whoever takes over, however long the database is away.

        Asks until the database answers, or a newer token has taken this one's place, or the session's tasks are ended.
        """

        async def save_newest() -> None:
            if self._token is token:
                await self._runs.save_token(self._fence, token, expires_at)

        with suppress(Replaced):
            await until_answered(save_newest)
            if self._token is token:
                self._unsaved = False
