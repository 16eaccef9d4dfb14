"""What a list of sessions shows, and the query that finds one page of it.

Pages are cut by id alone (keyset), and `created_at` is the millisecond inside the id, so times are bounds of ids too.
Each filter has an index whose last column is the id: a page costs the same at a thousand rows and at a million.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, union_all

from sessions.lifecycle import Status
from store.tables import session_tags, sessions

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST_MILLISECOND = (1 << 48) - 1


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Conditions that must all hold; None: any.

    Attributes:
        statuses: one of them; aliases are expanded already.
        created_after: exclusive.
        created_before: exclusive.
        tag: among the session's tags.
        archived: `false` and `true`: only such; `any`: both.
    """

    statuses: frozenset[Status] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    agent_id: str | None = None
    task_id: str | None = None
    project_id: str | None = None
    tag: str | None = None
    external_customer_id: str | None = None
    archived: Literal["false", "true", "any"] = "false"


def page_of_ids(organization_id: UUID, chosen: SessionFilter, limit: int, starting_after: UUID | None) -> Select[Any]:
    """The ids of `limit` sessions and one more, newest first, from those older than `starting_after`.

    One branch per status, each read from its end of an index that has no common order for several of them.
    """
    source, id_ = _source(organization_id, chosen)
    conditions = [sessions.c.organization_id == organization_id, *_conditions(chosen, id_)]
    if starting_after is not None:
        conditions.append(id_ < starting_after)
    page = source.where(*conditions).order_by(id_.desc()).limit(limit + 1)
    if chosen.statuses is None or chosen.statuses == frozenset(Status):
        return page
    branches = [page.where(sessions.c.status == str(status)) for status in sorted(chosen.statuses)]
    if len(branches) == 1:
        return branches[0]
    found = union_all(*(branch.subquery().select() for branch in branches)).subquery()
    return select(found.c.id).order_by(found.c.id.desc()).limit(limit + 1)


def _source(organization_id: UUID, chosen: SessionFilter) -> tuple[Select[Any], ColumnElement[UUID]]:
    """Where ids are read from, and the column that orders them."""
    if chosen.tag is None:
        return select(sessions.c.id), sessions.c.id
    id_ = session_tags.c.session_id
    tagged = select(id_.label("id")).join_from(session_tags, sessions, sessions.c.id == id_)
    return tagged.where(session_tags.c.organization_id == organization_id, session_tags.c.tag == chosen.tag), id_


def _conditions(chosen: SessionFilter, id_: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
    columns = sessions.c
    conditions = [
        columns[name] == value
        for name in ("agent_id", "task_id", "project_id", "external_customer_id")
        if (value := getattr(chosen, name)) is not None
    ]
    if chosen.archived != "any":
        conditions.append(
            columns.archived_at.is_(None) if chosen.archived == "false" else columns.archived_at.is_not(None)
        )
    if chosen.created_after is not None:
        conditions.append(id_ >= _first_id((chosen.created_after - _EPOCH) // _MILLISECOND + 1))
    if chosen.created_before is not None:
        conditions.append(id_ < _first_id(-((_EPOCH - chosen.created_before) // _MILLISECOND)))
    return conditions


def _first_id(milliseconds: int) -> UUID:
    """The smallest UUIDv7 of that millisecond since 1970 (RFC 9562 §5.7)."""
    return UUID(int=min(max(milliseconds, 0), _LAST_MILLISECOND) << 80)
