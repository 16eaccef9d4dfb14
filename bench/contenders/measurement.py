"""One measurement of one contender."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from bench.contenders.contender import Contender
from bench.measuring.machine import Busy, BusyMeter
from bench.measuring.process_tree import Memory, cpu_seconds, memory
from bench.scenes.rooms import room_names

_IDLE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class PartCost:
    """What a group of processes cost.

    Attributes:
        cpu_percent: of one core, over the window, per session.
        idle: its memory without a session.
        loaded: its memory at the end of the window.
    """

    cpu_percent: float
    idle: Memory
    loaded: Memory
    sessions: int

    @property
    def added_uss(self) -> float:
        """MB of unique memory that each session added."""
        return (self.loaded.uss - self.idle.uss) / self.sessions

    @property
    def added_pss(self) -> float:
        """MB of proportional memory that each session added."""
        return (self.loaded.pss - self.idle.pss) / self.sessions

    @property
    def total_uss(self) -> float:
        """MB of unique memory of everything, divided by the sessions."""
        return self.loaded.uss / self.sessions

    @property
    def total_pss(self) -> float:
        """MB of proportional memory of everything, divided by the sessions."""
        return self.loaded.pss / self.sessions


@dataclass(frozen=True, slots=True)
class Measurement:
    """Costs by part, the first one the contender itself.

    Attributes:
        received: audio that arrived during the window, as a share of what was sent.
    """

    parts: Mapping[str, PartCost]
    busy: Busy
    received: float


def measure(contender: Contender, sessions: int, *, settle_seconds: float, window_seconds: float) -> Measurement:
    """Let a contender that is idle record `sessions` rooms, and count."""
    time.sleep(_IDLE_SECONDS)
    idle = {name: memory(processes) for name, processes in contender.parts().items()}
    contender.record(room_names(sessions))
    time.sleep(settle_seconds)
    heard, heard_at = contender.received_seconds()
    busy = BusyMeter()
    before = {name: cpu_seconds(processes) for name, processes in contender.parts().items()}
    started = time.monotonic()
    time.sleep(window_seconds)
    after = {name: cpu_seconds(processes) for name, processes in contender.parts().items()}
    elapsed = time.monotonic() - started
    was_busy = busy.read()
    loaded = {name: memory(processes) for name, processes in contender.parts().items()}
    heard_later, heard_later_at = contender.received_seconds()
    contender.finish()
    parts = {
        name: PartCost(
            cpu_percent=100 * (after[name] - before[name]) / elapsed / sessions,
            idle=idle[name],
            loaded=loaded[name],
            sessions=sessions,
        )
        for name in loaded
    }
    sent = (heard_later_at - heard_at) * sessions
    return Measurement(parts, was_busy, (heard_later - heard) / sent if sent > 0 else 0.0)
