"""Free ports on loopback for servers that we start ourselves."""

import random
import socket
from pathlib import Path

_FIRST_PORT = 10240
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_FIRST_DEFAULT = 32768
_MIN_CHOICES = 1000
_TRIES = 200


def free_ports(count: int) -> list[int]:
    """`count` different ports that are free for TCP and UDP on 127.0.0.1 now.

    They lie below the range that the kernel takes for outgoing connections: a server that is restarted on its port
    finds it free, and a client that dials it meanwhile can't connect to itself (which a dial into that range can).
    Nothing reserves a port: whoever binds it must be ready to try others.
    """
    ports: list[int] = []
    chooser = random.SystemRandom()
    last = max(_first_ephemeral_port(), _FIRST_PORT + _MIN_CHOICES)
    for _ in range(_TRIES):
        if len(ports) == count:
            return ports
        port = chooser.randrange(_FIRST_PORT, last)
        if port not in ports and is_free(port):
            ports.append(port)
    raise OSError(f"Found no {count} free ports between {_FIRST_PORT} and {last} on 127.0.0.1.")


def _first_ephemeral_port() -> int:
    try:
        return int(_EPHEMERAL_RANGE.read_text().split()[0])
    except OSError:
        return _EPHEMERAL_FIRST_DEFAULT


def is_free(port: int) -> bool:
    """Whether it can be bound on 127.0.0.1 now, for TCP and UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
