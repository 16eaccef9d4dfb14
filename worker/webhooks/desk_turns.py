"""Which desks are closed for the sake of endpoints that wait for one."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from worker.webhooks.endpoint_desk import EndpointDesk

TURN_SECONDS = 10.0
"""How long a desk may stay open while other endpoints of its organization wait for one."""


def desks_to_close(desks: Sequence[EndpointDesk], waiting: Counter[UUID], share: int, now: float) -> list[EndpointDesk]:
    """Those that wait for a slot first, then those that have been open longest.

    Organizations with more than their share make room for those with less. Within one that has its share, desks are
    closed for its own endpoints, and only after their turn.

    Args:
        waiting: organization → how many of its endpoints wait.
        share: how many desks an organization may have.
        now: the loop's time.
    """
    held = Counter(desk.lease.organization_id for desk in desks)
    open_desks = sorted((desk for desk in desks if not desk.closed), key=lambda desk: (not desk.waits, desk.opened_at))
    wanted = sum(min(count, share - held[one]) for one, count in waiting.items() if held[one] < share)
    wanted -= len(desks) - len(open_desks)
    own = Counter({one: count for one, count in waiting.items() if held[one] >= share})
    own.subtract(desk.lease.organization_id for desk in desks if desk.closed)
    leaving = []
    for desk in open_desks:
        organization_id = desk.lease.organization_id
        if wanted > 0 and held[organization_id] > share:
            wanted -= 1
            held[organization_id] -= 1
        elif own[organization_id] > 0 and now - desk.opened_at >= TURN_SECONDS:
            own[organization_id] -= 1
        else:
            continue
        leaving.append(desk)
    return leaving
