"""Ports of the tests' own servers that stay theirs: known on a second address, or after the server is closed.

The kernel gives ports of its range for outgoing connections to whoever asks for any, meanwhile too; see `free_ports`.
"""

import socket
from contextlib import ExitStack

from parley.servers.free_ports import free_ports

_TRIES = 20


def bound_on_one_port(*hosts: str) -> list[socket.socket]:
    """Listening sockets at these addresses, all on the same port; whoever takes it meanwhile is avoided."""
    for _ in range(_TRIES - 1):
        try:
            return _bound(hosts, *free_ports(1))
        except OSError:
            continue
    return _bound(hosts, *free_ports(1))


def _bound(hosts: tuple[str, ...], port: int) -> list[socket.socket]:
    with ExitStack() as opened:
        families = [socket.AF_INET6 if ":" in host else socket.AF_INET for host in hosts]
        sockets = [
            opened.enter_context(socket.create_server((host, port), family=family))
            for host, family in zip(hosts, families, strict=True)
        ]
        opened.pop_all()
        return sockets
