"""Getting into a room: attempt after attempt, each only when the fence allows it, until the budget is used up."""

import asyncio

import structlog

from sessions.destinations.room_url import AllowedAddresses
from sessions.errors import ParleyError
from sessions.session import LiveKitTransport
from store.database.boot_clock import boottime_ns
from store.runs.claims import Claim
from store.runs.fence import Replaced
from worker.joining.joins import Joins
from worker.joining.rejoin_policy import RejoinPolicy, jitter, may_attempt
from worker.joining.room_address import check_room_address
from worker.joining.token_keeper import TokenKeeper
from worker.lease.live_run import LiveRun
from worker.room.join_answer import JoinError
from worker.room.livekit.room import LiveKitRoom
from worker.room.subscription import Subscription

_log = structlog.get_logger(__name__)

_ADDRESS_SECONDS = 5.0
_FENCED_PAUSE_SECONDS = 0.2
_NEVER = ("worker_token.rejected", "transport.url_not_allowed")


class RoomJoining:
    """Joins one session's room, for the first time or again. Canceling `join` is harmless."""

    def __init__(
        self,
        joins: Joins,
        claim: Claim,
        run: LiveRun,
        transport: LiveKitTransport,
        *,
        token: TokenKeeper,
        allowed: AllowedAddresses,
        most_tracks: int = 0,
    ) -> None:
        self._joins = joins
        self._claim = claim
        self._run = run
        self._transport = transport
        self._token = token
        self._allowed = allowed
        self._most_tracks = most_tracks

    async def join(self, policy: RejoinPolicy, *, dropped_ns: int | None) -> LiveKitRoom | ParleyError:
        """The room, or why there is none: the last attempt's error.

        `dropped_ns` says when the room was lost (None: it is the first join): no attempt is made before a beat that
        was sent later has come back, nor past the fence.
        """
        failure: ParleyError = JoinError("room.unreachable", "nobody answered at the room's URL in time")
        attempt = 0
        while (left := policy.seconds_left(boottime_ns())) > 0:
            await asyncio.sleep(min(policy.pause_seconds(attempt, jitter=jitter()), left))
            if self._run.fenced or not may_attempt(dropped_ns=dropped_ns, proven_ns=self._run.proven_ns):
                await asyncio.sleep(_FENCED_PAUSE_SECONDS)
                continue
            attempt += 1
            try:
                if dropped_ns is None and self._claim.handed_over:
                    return await self._attempt_in_turn(policy)
                return await self._attempt(policy, goes_on=dropped_ns is not None or self._claim.resumed)
            except Replaced:
                self._run.replace()
                break
            except ParleyError as error:
                if attempt == 1 or error.code != "room.join_timeout":
                    failure = error  # the budget cut the last attempt short: an earlier error tells more
                _log.info("join.failed", code=error.code, attempt=attempt)
                if error.code in _NEVER or (dropped_ns is None and isinstance(error, JoinError) and error.final):
                    break
        return failure

    async def _attempt_in_turn(self, policy: RejoinPolicy) -> LiveKitRoom:
        turn = await self._joins.turns.take()
        try:
            room = await self._attempt(policy, goes_on=True)
        except BaseException:
            turn.pass_on()
            raise
        self._joins.pass_on_when_heard(turn, room)
        return room

    async def _attempt(self, policy: RejoinPolicy, *, goes_on: bool) -> LiveKitRoom:
        """`goes_on`: the session's clock runs already, so what is said until the first frame is lost."""
        streams = self._transport.audio_source == "data_stream"
        token = await self._token.newest()
        left = policy.seconds_left(boottime_ns())
        await check_room_address(
            self._transport.url,
            self._allowed,
            timeout_seconds=max(min(left, _ADDRESS_SECONDS), 0.1),
        )
        return await self._joins.join(
            self._transport.url,
            token,
            subscription=Subscription(
                self._transport.subscribe_to_identity,
                streams=streams,
                with_join=goes_on and not streams,
                most_tracks=self._most_tracks,
                shared_key=self._claim.shared_key,
            ),
            timeout_seconds=max(policy.seconds_left(boottime_ns()), 0.1),
            organization=self._claim.session.organization_id,
            session_id=self._claim.session.id,
        )
