"""Computing the bills that a period touches again: `parley usage verify`, and the same by HTTP."""

import asyncio
import math
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sessions.billing.billing_period import Period
from sessions.billing.checking.bill_check import BillCheck
from store.database.database import Database
from store.usage.audit import LedgerAudit

_AT_A_TIME = 50  # between two looks at the clock


@dataclass(frozen=True, slots=True)
class Imbalance:
    """A bill that is wrong.

    Attributes:
        milliseconds, credits: what its rows add up to.
        recomputed_credits: what these milliseconds cost.
        sentences: what is wrong, for a person who pays.
    """

    milliseconds: int
    credits: Decimal
    recomputed_credits: Decimal
    sentences: list[str]


@dataclass(slots=True)
class Verified:
    """What was found in bills.

    Attributes:
        until: bills that the period touches before this time, and no others, were checked; None: it was one session's.
        balanced: how many are right, `running` of them so far.
        milliseconds, credits: what all of them add up to, whenever their rows were recorded.
    """

    until: datetime | None = None
    balanced: int = 0
    running: int = 0
    milliseconds: int = 0
    credits: Decimal = Decimal("0.000")
    unbalanced: dict[UUID, Imbalance] = field(default_factory=dict)

    @property
    def checked(self) -> int:
        """How many sessions."""
        return self.balanced + len(self.unbalanced)

    def take(self, session_id: UUID, check: BillCheck) -> None:
        """One more."""
        self.milliseconds += check.milliseconds
        self.credits += check.credits
        if wrong := check.imbalances():
            imbalance = Imbalance(check.milliseconds, check.credits, check.recomputed_credits, wrong)
            self.unbalanced[session_id] = imbalance
        else:
            self.balanced += 1
            self.running += not check.settled


class BillVerifier:
    """Checks bills, some at a time: what it holds grows with those that are wrong, and with nothing else."""

    def __init__(self, db: Database) -> None:
        self._audit = LedgerAudit(db)

    async def verify_session(self, organization_id: UUID, session_id: UUID) -> Verified:
        """One session's bill."""
        found = Verified()
        found.take(session_id, await self._audit.check(organization_id, session_id))
        return found

    async def verify(
        self,
        organization_id: UUID,
        period: Period,
        *,
        since: datetime | None = None,
        agent_id: str | None = None,
        most: int | None = None,
        seconds: float = math.inf,
    ) -> Verified:
        """The bills of a period from `since` on, until the period ends or a bound is reached: see `until`.

        Args:
            since: `until` of the part before; None: the beginning.
            agent_id: only this agent's bills.
            most: sessions; those that were first billed in the same microsecond are not parted.
            seconds: no more is begun after them. Something is always checked.
        """
        found, until = Verified(), since or period.start
        deadline, moved = asyncio.get_running_loop().time() + seconds, False

        def room() -> int:
            if moved and asyncio.get_running_loop().time() >= deadline:
                return 0
            return _AT_A_TIME if most is None else min(_AT_A_TIME, most - found.checked)

        while until < period.end and room() > 0:
            stretch = await self._audit.stretch(organization_id, period, until, agent_id=agent_id)
            bills = stretch.bills
            while bills and (size := room()) > 0:
                part = _together(bills, size)
                async for session_id, check in self._audit.checks(organization_id, [bill for bill, _ in part]):
                    found.take(session_id, check)
                bills, moved = bills[len(part) :], True
            until, moved = bills[0][1] if bills else stretch.until, True
        found.until = until
        return found


def _together(bills: list[tuple[UUID, datetime]], size: int) -> list[tuple[UUID, datetime]]:
    """So many, or more: those of the same time stay together."""
    while size < len(bills) and bills[size][1] == bills[size - 1][1]:
        size += 1
    return bills[:size]
