"""What the guard tells a recorder process of one of its connections. Pure."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Traffic:
    """What came over one connection.

    Attributes:
        opened: when (`time.monotonic`).
        received_bytes: what the room's server has sent over it so far.
        share: how much that is of what it may have sent by now, or of what it may send at once; 1: it is cut off.
    """

    opened: float
    received_bytes: int
    share: float


def written(traffic: Sequence[Traffic]) -> bytes:
    """As the body of an answer; `read` is its inverse."""
    return json.dumps([astuple(one) for one in traffic]).encode()


def read(body: bytes) -> list[Traffic]:
    """What `written` has made.

    Raises:
        ValueError: it has not.
    """
    try:
        return [Traffic(float(opened), int(received), float(share)) for opened, received, share in json.loads(body)]
    except TypeError:
        raise ValueError("no traffic") from None
