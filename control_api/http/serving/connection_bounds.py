"""How many connections an API process holds, in all and from one address; with more, the longest idle one goes."""

from collections import OrderedDict
from typing import Protocol

import structlog

from control_api.http.requests.request_limits import network_of

_log = structlog.get_logger(__name__)


class Connection(Protocol):
    """What is bounded."""

    @property
    def busy(self) -> bool:
        """Whether it has a request that is not answered yet."""

    def force_close(self) -> None:
        """Close it."""


class ConnectionBounds:
    """The connections of a process, in the order in which they last brought something.

    Args:
        most: connections in all; 0: as many as there are files.
        most_of_one: connections from one address (IPv6: from one /64); 0: no bound.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._all: OrderedDict[Connection, str] = OrderedDict()
        self._of_one: dict[str, OrderedDict[Connection, None]] = {}
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection, address: str | None) -> None:
        """A new one. It may cost the longest idle one its place; if none is idle, itself."""
        network = network_of(address)
        self._all[connection] = network
        siblings = self._of_one.setdefault(network, OrderedDict())
        siblings[connection] = None
        if self._most_of_one and len(siblings) > self._most_of_one:
            self._evict(siblings)
        elif self._most and len(self._all) > self._most:
            self._evict(self._all)

    def touch(self, connection: Connection) -> None:
        """It has brought something."""
        network = self._all.get(connection)
        if network is not None:
            self._all.move_to_end(connection)
            self._of_one[network].move_to_end(connection)

    def remove(self, connection: Connection) -> None:
        """It is closed."""
        network = self._all.pop(connection, None)
        if network is not None:
            siblings = self._of_one[network]
            siblings.pop(connection, None)
            if not siblings:
                del self._of_one[network]

    def _evict(self, among: "OrderedDict[Connection, str] | OrderedDict[Connection, None]") -> None:
        for _ in range(len(among)):
            connection = next(iter(among))
            if not connection.busy:
                break
            among.move_to_end(connection)  # it is being served, and looked at again after all others
        self.remove(connection)
        connection.force_close()
        self.evicted += 1
        if self.evicted.bit_count() == 1:  # 1, 2, 4, 8, …
            _log.warning("connections.evicted", evicted=self.evicted, connections=len(self._all))
