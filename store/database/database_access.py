"""How PostgreSQL is reached: what each process is given, and opens its pools and its listener with."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from pydantic import SecretStr

from store.database.database import Database
from store.database.notify.notifications import Listener


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """One PostgreSQL, as a process reaches it.

    Attributes:
        url: libpq's (`postgresql://…`).
        timeout_seconds: bound of a whole transaction, as in `Database.open`.
        direct_url: `url` past the pooler, if there is one: to listen.
        reconnect: called in a thread when nobody listens at `url`; then connecting is tried once more.
    """

    url: SecretStr
    timeout_seconds: float
    direct_url: SecretStr | None = None
    reconnect: Callable[[], object] | None = None

    def open(self, application_name: str, *, pool_size: int) -> AbstractAsyncContextManager[Database]:
        """A pool of at most `pool_size` connections, which PostgreSQL shows as `application_name`."""
        return Database.open(
            self.url,
            timeout_seconds=self.timeout_seconds,
            application_name=application_name,
            pool_size=pool_size,
            reconnect=self.reconnect,
        )

    def listen(self, application_name: str, channels: Sequence[str]) -> AbstractAsyncContextManager[Listener]:
        """What hears the NOTIFYs on these channels, on one connection."""
        return Listener.open(self.url, direct_url=self.direct_url, channels=channels, application_name=application_name)
