"""How many recorder processes a worker has where its settings don't say."""

import os

from worker.host.control_group import ControlGroupLimits

_MIB = 1 << 20
# Measured with livekit 1.2.1: a recorder, each of its sessions, and what every worker has once: supervisor, nursery,
# the process for finalizing, and the one for speech with its models loaded.
_RECORDER_BYTES = 40 * _MIB
_SESSION_BYTES = 5 * _MIB
_OTHERS_BYTES = 450 * _MIB


def cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0))


def default_recorders(cores: int, limits: ControlGroupLimits, sessions_per_process: int) -> int:
    """One per core, but no more than the limits have CPUs for, and memory when each is full; at least one."""
    counts = [cores]
    if limits.cpus is not None:
        counts.append(int(limits.cpus))
    if limits.memory_bytes is not None:
        full_recorder = _RECORDER_BYTES + sessions_per_process * _SESSION_BYTES
        counts.append((limits.memory_bytes - _OTHERS_BYTES) // full_recorder)
    return max(1, min(counts))
