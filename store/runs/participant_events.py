"""Events of who comes into a session's room and leaves it, written by its run: so many at most.

What was told is read from the session's events while its row is held: who is there comes no second time, a repetition
writes nothing, and a successor goes on where the run before it stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from sessions.lifecycle.lifecycle import TERMINAL
from store.database.database import Database
from store.lifecycle import events
from store.runs.fence import Fence
from store.runs.fenced_session import lock_fenced_session

_TOLD = text(
    """
    SELECT type, at, data FROM session_events
    WHERE session_id = :id AND type IN ('participant.joined', 'participant.left') ORDER BY seq
    """
)


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody else in the room.

    Attributes:
        sid: LiveKit's id of this stay: who comes back has another one.
        name: to show; empty when there is none.
        kind: LiveKit's, in lower case: standard, agent, sip and so on.
    """

    sid: str
    identity: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody came (`joined`) or left; `at` is PostgreSQL's time of that."""

    participant: Participant
    joined: bool
    at: datetime


class ParticipantEvents:
    """Those of all sessions.

    Args:
        most: how many events a session has at most.
    """

    def __init__(self, db: Database, most: int) -> None:
        self._db = db
        self.most = most

    async def there(self, session_id: UUID) -> list[Participant]:
        """Who has come and not left, as far as it was told."""
        async with self._db.begin() as conn:
            rows = (await conn.execute(_TOLD, {"id": session_id})).all()
        return list(_there(rows).values())

    async def tell(self, fence: Fence, moves: Sequence[Move]) -> bool:
        """Write those that were not told; harmless to repeat.

        Returns:
            Whether more may be told of this session.

        Raises:
            Replaced: another run has the session.
        """
        async with self._db.begin() as conn:
            locked = await lock_fenced_session(conn, fence)
            if locked.status in TERMINAL:
                return False
            rows = (await conn.execute(_TOLD, {"id": fence.session_id})).all()
            written = {(row.type, row.data["participant_sid"], row.at) for row in rows}
            there = _there(rows)
            count = len(rows)
            for move in moves:
                sid, type_ = move.participant.sid, "participant.joined" if move.joined else "participant.left"
                if count >= self.most or (type_, sid, move.at) in written or move.joined == (sid in there):
                    continue
                count += 1
                facts = _facts(move.participant, limit_reached=count == self.most)
                await events.append(conn, fence.session_id, type_, epoch=fence.epoch, data=facts, at=move.at)
                if move.joined:
                    there[sid] = move.participant
                else:
                    del there[sid]
        return count < self.most


def _there(rows: Sequence[Any]) -> dict[str, Participant]:
    found: dict[str, Participant] = {}
    for row in rows:
        sid = row.data["participant_sid"]
        found.pop(sid, None)
        if row.type == "participant.joined":
            found[sid] = Participant(sid, row.data["identity"], row.data["name"] or "", row.data["kind"])
    return found


def _facts(participant: Participant, *, limit_reached: bool) -> dict[str, Any]:
    return {
        "participant_sid": participant.sid,
        "identity": participant.identity,
        "name": participant.name or None,
        "kind": participant.kind,
        "limit_reached": limit_reached,
    }
