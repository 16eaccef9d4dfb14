"""Contender: the SDK's floor, nothing but joining, subscribing and decoding."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from bench.children.line_child import LineChild
from bench.measuring.probing import until
from bench.measuring.process_tree import tree
from bench.scenes.rooms import child_argv, recorder_token
from parley.servers.livekit_server import LiveKitServer


class FloorContender:
    """As many bare processes as Parley has recorder processes, the rooms divided among them."""

    name = "SDK floor"

    def __init__(self, server: LiveKitServer, children: Sequence[LineChild], sample_rate: int, frame_ms: int) -> None:
        self._server = server
        self._children = children
        self._sample_rate = sample_rate
        self._frame_ms = frame_ms

    def parts(self) -> Mapping[str, Sequence[psutil.Process]]:
        """All its processes."""
        return {self.name: [process for child in self._children for process in tree(child.pid)]}

    def record(self, rooms: Sequence[str]) -> None:
        """Join and wait for the first frames."""
        for number, child in enumerate(self._children):
            tokens = [recorder_token(self._server, room) for room in rooms[number :: len(self._children)]]
            child.send(
                {
                    "url": self._server.url,
                    "tokens": tokens,
                    "sample_rate": self._sample_rate,
                    "frame_ms": self._frame_ms,
                }
            )
        for child in self._children:
            child.receive()
        until(lambda: self._sum("tracks") == len(rooms), what="the floor hears every room")

    def received_seconds(self) -> tuple[float, float]:
        """What its processes have counted."""
        return self._sum("samples") / self._sample_rate, time.monotonic()

    def finish(self) -> None:
        """Its processes leave when they are told to end."""

    def _sum(self, key: str) -> int:
        return sum(int(child.ask("count")[key]) for child in self._children)


@contextlib.contextmanager
def floor(
    server: LiveKitServer, folder: Path, *, processes: int, sample_rate: int, frame_ms: int
) -> Iterator[FloorContender]:
    """The floor's processes."""
    with contextlib.ExitStack() as stack:
        log = folder / "floor.log"
        children = [stack.enter_context(LineChild(child_argv("floor"), log)) for _ in range(processes)]
        for child in children:
            child.receive()
        yield FloorContender(server, children, sample_rate, frame_ms)
