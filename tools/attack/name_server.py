"""A name server that means harm: names that lead inside, and names that lead there the second time (RFC 1035)."""

import asyncio
from collections import Counter
from ipaddress import ip_address
from typing import cast

_A, _AAAA, _IN = 1, 28, 1
_HEADER_BYTES = 12
_TO_THE_NAME = b"\xc0\x0c"  # a pointer to the question's


class HostileNames(asyncio.DatagramProtocol):
    """Answers questions for addresses.

    Args:
        names: to answers, which take turns; each is addresses of both families.
    """

    def __init__(self, names: dict[str, list[list[str]]]) -> None:
        self._names = names
        self._asked: Counter[tuple[str, int]] = Counter()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Now it can answer."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # it is, but does not say so

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One question."""
        assert self._transport is not None
        name, end = _name(data)
        kind = int.from_bytes(data[end : end + 2], "big")
        turns = self._names.get(name.lower().rstrip("."))
        answers = [] if turns is None else turns[self._asked[name, kind] % len(turns)]
        self._asked[name, kind] += 1
        version = {_A: 4, _AAAA: 6}.get(kind, 0)
        found = [ip_address(one).packed for one in answers if ip_address(one).version == version]
        records = b"".join(
            _TO_THE_NAME
            + kind.to_bytes(2, "big")
            + _IN.to_bytes(2, "big")
            + bytes(4)
            + len(one).to_bytes(2, "big")
            + one
            for one in found
        )
        flags = b"\x81\x80" if turns is not None else b"\x81\x83"
        counts = b"\x00\x01" + len(found).to_bytes(2, "big") + bytes(4)
        self._transport.sendto(data[:2] + flags + counts + data[_HEADER_BYTES : end + 4] + records, addr)


def _name(data: bytes) -> tuple[str, int]:
    """The name that is asked for, and where it ends."""
    labels, at = [], _HEADER_BYTES
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return ".".join(labels), at + 1
