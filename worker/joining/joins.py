"""The joins of one process. A join is never canceled: whoever waits may abandon it, and it is left as soon as it lands.

One that does not land soon after that is cut off at the guard, unless its server is one that others of this process
join or are joined to: then it ends when the SDK gives up, after four attempts.

Canceling `Room.connect` aborts the process 15 s later, and with it every session in it: the native library waits for an
answer that never comes, panics, and the SDK sends SIGTERM to its own process (measured with livekit 1.2.1).
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from uuid import UUID
from weakref import WeakSet

import structlog
from pydantic import SecretStr

from worker.guard.guard_line import target_of
from worker.joining.join_turns import JoinTurns, Turn
from worker.room.join_answer import JoinError
from worker.room.livekit.joining import connect_room
from worker.room.livekit.room import LiveKitRoom
from worker.room.subscription import Subscription

_log = structlog.get_logger(__name__)

_HEARD_SECONDS = 1.0
_LANDS_SECONDS = 2.0  # a join that is about to land does, and leaves in good order

Cut = Callable[[str], Awaitable[None]]
"""Ends this process's connections to a `host:port`."""


class Joins:
    """Starts joins in a task group of the process; whoever asked waits for a future and may stop waiting.

    `group` must outlive every session. At most `max_abandoned` joins of one organization are left to land by
    themselves; with that many on their way, its new ones fail as `room.join_timeout`. `turns` are for joins that should
    not be under way together. `cut` ends those that nobody waits for; None: they end by themselves.
    """

    def __init__(self, group: asyncio.TaskGroup, *, max_abandoned: int = 32, cut: Cut | None = None) -> None:
        self.turns = JoinTurns()
        self._group = group
        self._max_abandoned = max_abandoned
        self._abandoned: dict[asyncio.Future[LiveKitRoom], UUID | None] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._cut = cut
        self._targets: dict[asyncio.Future[LiveKitRoom], str] = {}
        self._rooms: defaultdict[str, WeakSet[LiveKitRoom]] = defaultdict(WeakSet)

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
    ) -> LiveKitRoom:
        """Join a room. Canceling this is harmless.

        Raises:
            JoinError: as `connect_room` raises it; `room.join_timeout` also after `timeout_seconds`.
        """
        if organization is not None and self.abandoned_of[organization] >= self._max_abandoned:
            raise JoinError("room.join_timeout", "too many joins of this organization are still under way")
        landed: asyncio.Future[LiveKitRoom] = asyncio.get_running_loop().create_future()
        self._targets[landed] = target_of(url)
        landed.add_done_callback(self._note_landed)
        task = self._group.create_task(self._land(landed, url, token, subscription), name="join")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            done, _ = await asyncio.wait({landed}, timeout=timeout_seconds)
        except asyncio.CancelledError:
            self._abandon(landed, organization)
            raise
        if not done:
            self._abandon(landed, organization)
            raise JoinError("room.join_timeout", "the join was not done in time")
        return landed.result()

    def pass_on_when_heard(self, turn: Turn, room: LiveKitRoom) -> None:
        """Let the next join have its turn once this room's audio comes."""

        async def pass_on() -> None:
            await room.heard(_HEARD_SECONDS)
            turn.pass_on()

        self._group.create_task(pass_on(), name="join-turn")

    async def all_landed(self, timeout_seconds: float) -> bool:
        """Wait until no join is under way; False if some still are after `timeout_seconds`."""
        if not self._under_way:
            return True
        _, pending = await asyncio.wait(list(self._under_way), timeout=timeout_seconds)
        return not pending

    def _abandon(self, landed: "asyncio.Future[LiveKitRoom]", organization: UUID | None) -> None:
        self._abandoned[landed] = organization
        if landed.done():  # it landed just before the caller stopped waiting
            self._group.create_task(self._discard(landed), name="join-discard")
        elif self._cut is not None:
            self._group.create_task(self._cut_off(landed, self._cut), name="join-cut")

    async def _cut_off(self, landed: "asyncio.Future[LiveKitRoom]", cut: Cut) -> None:
        """End an abandoned join that does not land, as soon as nobody else wants its server."""
        target = self._targets[landed]
        while not (await asyncio.wait({landed}, timeout=_LANDS_SECONDS))[0]:
            if not self._is_wanted(target):
                _log.info("abandoned_join.cut_off", target=target)
                await cut(target)

    def _is_wanted(self, target: str) -> bool:
        """Whether somebody waits for a join to there, or is in a room there."""
        waited_for = any(to == target and one not in self._abandoned for one, to in self._targets.items())
        return waited_for or any(not room.left for room in self._rooms.get(target, ()))

    def _note_landed(self, landed: "asyncio.Future[LiveKitRoom]") -> None:
        target = self._targets.pop(landed)
        if not landed.cancelled() and landed.exception() is None:
            self._rooms[target].add(landed.result())
        for empty in [one for one, rooms in self._rooms.items() if not rooms]:
            del self._rooms[empty]

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
