"""The joins of one process. A join is never canceled: whoever waits may abandon it, and it is left as soon as it lands.

One that does not land soon after that is cut off at the guard: all connections of this process to its server if nobody
else of the process wants that server, else those that only this join can have opened (`worker.joining.join_spans`); it
opens one every few seconds.

Canceling `Room.connect` aborts the process 15 s later, and with it every session in it: the native library waits for an
answer that never comes, panics, and the SDK sends SIGTERM to its own process (measured with livekit 1.2.1).
"""

import asyncio
import time
from collections import Counter
from typing import Protocol
from uuid import UUID

import structlog
from pydantic import SecretStr

from worker.guard.guard_line import target_of
from worker.guard.spans import Spans
from worker.guard.traffic import Traffic
from worker.joining.join_spans import JoinSpans, OneJoin
from worker.joining.join_turns import JoinTurns, Turn
from worker.room.join_answer import JoinError
from worker.room.livekit.joining import connect_room
from worker.room.livekit.room import LiveKitRoom
from worker.room.subscription import Subscription

_log = structlog.get_logger(__name__)

_HEARD_SECONDS = 1.0
_LANDS_SECONDS = 2.0  # a join that is about to land does, and leaves in good order
_AGAIN_SECONDS = 0.5  # after it was cut off the SDK makes its next attempt at once


class Guard(Protocol):
    """The part of `worker.guard.guard_line.GuardLine` that is needed here."""

    async def cut(self, target: str, spans: Spans | None = None) -> None:
        """End this process's connections to a `host:port`."""

    async def count(self, target: str) -> list[Traffic]:
        """What has come over them."""


class Joins:
    """Starts joins in a task group of the process; whoever asked waits for a future and may stop waiting.

    `group` must outlive every session. At most `max_abandoned` joins of one organization are left to land by
    themselves; with that many on their way, its new ones fail as `room.join_timeout`. `turns` are for joins that should
    not be under way together. `guard` ends those that nobody waits for; None: they end by themselves.
    """

    def __init__(self, group: asyncio.TaskGroup, *, max_abandoned: int = 32, guard: Guard | None = None) -> None:
        self.turns = JoinTurns()
        self._group = group
        self._max_abandoned = max_abandoned
        self._abandoned: dict[asyncio.Future[LiveKitRoom], UUID | None] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._guard = guard
        self._spans = JoinSpans()
        self._lands_seconds = _LANDS_SECONDS

    @property
    def abandoned(self) -> int:
        """Joins that nobody waits for any more and that have not landed yet."""
        return len(self._abandoned)

    @property
    def abandoned_of(self) -> Counter[UUID]:
        """The same, by organization."""
        return Counter(organization for organization in self._abandoned.values() if organization is not None)

    async def join(
        self,
        url: str,
        token: SecretStr,
        *,
        subscription: Subscription,
        timeout_seconds: float,
        organization: UUID | None = None,
        session_id: UUID | None = None,
    ) -> LiveKitRoom:
        """Join a room, as `session_id` of `organization`. Canceling this is harmless.

        Raises:
            JoinError: as `connect_room` raises it; `room.join_timeout` also after `timeout_seconds`.
        """
        if organization is not None and self.abandoned_of[organization] >= self._max_abandoned:
            raise JoinError("room.join_timeout", "too many joins of this organization are still under way")
        landed: asyncio.Future[LiveKitRoom] = asyncio.get_running_loop().create_future()
        one = self._spans.begin(target_of(url), session_id, time.monotonic())
        landed.add_done_callback(lambda _: self._note_landed(landed, one))
        task = self._group.create_task(self._land(landed, url, token, subscription), name="join")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            done, _ = await asyncio.wait({landed}, timeout=timeout_seconds)
        except asyncio.CancelledError:
            self._abandon(landed, one, organization)
            raise
        if not done:
            self._abandon(landed, one, organization)
            raise JoinError("room.join_timeout", "the join was not done in time")
        return landed.result()

    def pass_on_when_heard(self, turn: Turn, room: LiveKitRoom) -> None:
        """Let the next join have its turn soon after this room's audio comes."""

        async def pass_on() -> None:
            await room.heard(_HEARD_SECONDS)
            turn.heard()

        self._group.create_task(pass_on(), name="join-turn")

    async def all_landed(self, timeout_seconds: float) -> bool:
        """Wait until no join is under way; False if some still are after `timeout_seconds`."""
        if not self._under_way:
            return True
        _, pending = await asyncio.wait(list(self._under_way), timeout=timeout_seconds)
        return not pending

    def hurry(self) -> None:
        """From now on cut a join off as soon as nobody waits for it."""
        self._lands_seconds = 0.0

    async def traffic(self) -> dict[UUID, list[Traffic]]:
        """By session, what has come over those of this process's connections of which it can tell whose they are."""
        found: dict[UUID, list[Traffic]] = {}
        if self._guard is None:
            return found
        for target in self._spans.targets:
            for traffic in await self._guard.count(target):
                session_id = self._spans.session_of(target, traffic.opened)
                if session_id is not None:
                    found.setdefault(session_id, []).append(traffic)
        return found

    def _abandon(self, landed: "asyncio.Future[LiveKitRoom]", one: OneJoin, organization: UUID | None) -> None:
        self._abandoned[landed] = organization
        one.wanted = False
        if landed.done():  # it landed just before the caller stopped waiting
            self._group.create_task(self._discard(landed), name="join-discard")
        elif self._guard is not None:
            self._group.create_task(self._cut_off(landed, one, self._guard), name="join-cut")

    async def _cut_off(self, landed: "asyncio.Future[LiveKitRoom]", one: OneJoin, guard: Guard) -> None:
        """End an abandoned join that does not land."""
        pause_seconds = self._lands_seconds
        while not (await asyncio.wait({landed}, timeout=pause_seconds))[0]:
            alone = self._spans.alone(one)
            _log.info("abandoned_join.cut_off", target=one.target, alone=alone)
            await guard.cut(one.target, None if alone else self._spans.surely_of(one, time.monotonic()))
            pause_seconds = _LANDS_SECONDS if alone else _AGAIN_SECONDS

    def _note_landed(self, landed: "asyncio.Future[LiveKitRoom]", one: OneJoin) -> None:
        if landed.cancelled() or landed.exception() is not None:
            self._spans.fail(one)
        else:
            self._spans.land(one, landed.result(), time.monotonic())

    async def _land(
        self, landed: "asyncio.Future[LiveKitRoom]", url: str, token: SecretStr, subscription: Subscription
    ) -> None:
        try:
            room = await connect_room(url, token, subscription)
        except Exception as error:  # a join must not take its siblings down; whoever waits for it gets the error
            landed.set_exception(error)
        else:
            landed.set_result(room)
        if landed in self._abandoned:
            await self._discard(landed)

    async def _discard(self, landed: "asyncio.Future[LiveKitRoom]") -> None:
        self._abandoned.pop(landed, None)
        error = landed.exception()
        if error is None:
            await landed.result().leave()
            _log.info("abandoned_join.landed")
        elif not isinstance(error, JoinError):
            _log.error("abandoned_join.crashed", exc_info=error)  # nobody waits for it, so nobody else would tell
