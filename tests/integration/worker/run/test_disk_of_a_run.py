"""What a run does on the disk: never on the event loop, which a slow disk would stop together with every session."""

import asyncio
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import worker
from tests.integration.worker.studio import Studio
from tests.support.talkers.beeps import BeepPlan, BeepTalker

_WORKER = Path(worker.__file__).parent
_TOUCHES = frozenset({"open", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.scandir"})


@dataclass
class _DiskWatch:
    """Finds what touches `folder` while it is entered, by CPython's audit events; a hook cannot be removed."""

    folder: str
    watching: bool = False
    by_thread: list[str] = field(default_factory=list)
    on_loop: set[str] = field(default_factory=set)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.watching or event not in _TOUCHES or not str(arguments[0]).startswith(self.folder):
            return
        if threading.current_thread() is not threading.main_thread():
            self.by_thread.append(event)
            return
        frames = [frame for frame in traceback.extract_stack() if Path(frame.filename).is_relative_to(_WORKER)]
        if frames:
            self.on_loop.add(f"{event} in {frames[-1].filename}:{frames[-1].lineno}")


@contextmanager
def _disk_watch(folder: Path) -> Iterator[_DiskWatch]:
    watch = _DiskWatch(str(folder))
    sys.addaudithook(watch.hear)
    watch.watching = True
    try:
        yield watch
    finally:
        watch.watching = False


async def test_the_event_loop_of_a_recorder_touches_no_disk(studio: Studio, room: str) -> None:
    """From its claim to its seal, with segments, a pause, uploads, and the figures of the process."""
    async with (
        BeepTalker(studio.livekit.url, studio.token(room, "ann"), BeepPlan(700.0)),
        studio.recorder(segment_seconds=1),
    ):
        with _disk_watch(studio.settings.data_dir) as watch:
            session = await studio.create(room)
            await studio.reaches(session, "running")
            await asyncio.sleep(2.5)
            await studio.sessions.commands.pause(studio.organization_id, session.id)
            await asyncio.sleep(1)
            await studio.sessions.commands.resume(studio.organization_id, session.id)
            await asyncio.sleep(1)
            await studio.sessions.commands.end(studio.organization_id, session.id)
            await studio.sealed(session)
            await asyncio.sleep(0.5)
    assert watch.by_thread.count("open") >= 4, "it records"
    assert watch.on_loop == set()
