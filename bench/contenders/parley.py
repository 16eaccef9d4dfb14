"""Contender: Parley, driven through its API."""

import contextlib
import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from bench.measuring.probing import until
from bench.scenes.parley_stack import ParleyApi, ParleyWorker, parley_worker
from parley.servers.livekit_server import LiveKitServer

RECORDER_PART = "Parley"
WORKER_PART = "Parley, whole worker"


class ParleyContender:
    """A worker; sessions are created over HTTP as a customer does."""

    name = RECORDER_PART

    def __init__(self, server: LiveKitServer, api: ParleyApi, worker: ParleyWorker) -> None:
        self._server = server
        self._api = api
        self._worker = worker
        self._ids: list[str] = []

    def parts(self) -> Mapping[str, Sequence[psutil.Process]]:
        """The recorder processes; and these with the supervisor and the process for short jobs."""
        return {RECORDER_PART: self._worker.recorders(), WORKER_PART: self._worker.family()}

    def record(self, rooms: Sequence[str]) -> None:
        """Create the sessions; a beat tells that audio arrives."""
        self._ids = [self._api.create(self._server, room) for room in rooms]
        for session_id in self._ids:
            session = self._api.wait(session_id, "running")
            if session["status"] != "running":
                raise RuntimeError(f"a session did not run: {session['status']} {session['error']}")
        until(
            lambda: all(self._api.get(one)["usage"]["audio_ms_received"] > 0 for one in self._ids),
            what="Parley records every room",
            poll_seconds=1,
        )

    def received_seconds(self) -> tuple[float, float]:
        """What the sessions' usage says as of the next beat, which is waited for."""
        asked = time.time()

        def fresh() -> list[dict[str, Any]]:
            usages: list[dict[str, Any]] = [self._api.get(one)["usage"] for one in self._ids]
            return usages if all(_as_of(usage) > asked for usage in usages) else []

        usages = until(fresh, what="a beat of every session", poll_seconds=0.5)
        heard = sum(usage["audio_ms_received"] for usage in usages) / 1000
        age = time.time() - sum(_as_of(usage) for usage in usages) / len(usages)
        return heard, time.monotonic() - age

    def finish(self) -> None:
        """End the sessions and wait for their recordings."""
        for session_id in self._ids:
            self._api.end(session_id)
        for session_id in self._ids:
            until(functools.partial(self._is_over, session_id), what="the recording is stored", seconds=180)

    def _is_over(self, session_id: str) -> bool:
        session = self._api.wait(session_id, "terminal")
        if session["status"] in ("failed", "canceled"):
            raise RuntimeError(f"a session {session['status']}: {session['error']}")
        return bool(session["status"] == "ended")


def _as_of(usage: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(usage["as_of"]).timestamp()


@contextlib.contextmanager
def parley(
    server: LiveKitServer, api: ParleyApi, database_url: str, folder: Path, *, processes: int, heartbeat_seconds: float
) -> Iterator[ParleyContender]:
    """A fresh worker without a session."""
    with parley_worker(database_url, folder, processes=processes, heartbeat_seconds=heartbeat_seconds) as worker:
        until(lambda: len(worker.recorders()) == processes, what="the recorder processes run")
        yield ParleyContender(server, api, worker)
