"""The filters of a list of sessions, and the query that finds one page of it.

Pages are cut by id alone (keyset), and `created_at` is the millisecond inside the id, so times are bounds of ids too.
Each filter, each one together with an agent, and a tag together with a customer has an index that goes on with the
shelf (status, archived or not) and the id: a page costs the same at a thousand rows and at a million. No index serves
other pairs that are neither agent nor status: the sessions of one of the two are read until the page is full.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Select,
    Text,
    cast,
    exists,
    func,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from sessions.lifecycle.lifecycle import Status
from sessions.texts.timestamps import MILLISECOND, UNIX_EPOCH
from store.database.tables import page_order, session_tags, sessions

_OPTIONAL = ("task_id", "project_id", "external_customer_id")
_LAST_MILLISECOND = (1 << 48) - 1


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Conditions that must all hold; None: any.

    Attributes:
        statuses: the session has one of them; aliases are expanded already.
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

    The newest of each shelf are read from the index and merged then: it has no common order for several shelves.
    """
    table, id_ = (sessions, sessions.c.id) if chosen.tag is None else (session_tags, session_tags.c.session_id)
    order = _order(chosen, id_)
    shelves = func.unnest(cast(_shelves(chosen), ARRAY(Text))).table_valued("name", name="shelves").render_derived()
    conditions = [table.c.organization_id == organization_id, table.c.shelf == shelves.c.name, *_columns(chosen)]
    conditions += [order >= _order(chosen, literal(bound)) for bound in _first_ids(chosen)]
    conditions += [order < _order(chosen, literal(bound)) for bound in _end_ids(chosen, starting_after)]
    newest = select(id_.label("id")).where(*conditions).order_by(order.desc()).limit(limit + 1).lateral("newest")
    return select(newest.c.id).join_from(shelves, newest, true()).order_by(newest.c.id.desc()).limit(limit + 1)


def _order(chosen: SessionFilter, id_: ColumnElement[UUID]) -> ColumnElement[bytes]:
    """The sort key: in the order of ids, spelled as in the index to read (of several, the planner takes the best)."""
    particular = _OPTIONAL if chosen.tag is None else ("external_customer_id",)
    optional = any(getattr(chosen, name) is not None for name in particular)
    constant = page_order(of_agent=chosen.agent_id is not None, of_something=optional)
    return func.uuid_send(id_, type_=LargeBinary).concat(literal_column(f"'\\x{constant:02x}'::bytea", LargeBinary))


def _shelves(chosen: SessionFilter) -> list[str]:
    """The shelves (column `shelf`: a status, and whether archived) that are asked for."""
    endings = {"false": ("",), "true": ("/archived",), "any": ("", "/archived")}[chosen.archived]
    return [f"{status}{ending}" for status in sorted(chosen.statuses or Status) for ending in endings]


def _columns(chosen: SessionFilter) -> list[ColumnElement[bool]]:
    """The columns that have to be equal, besides organization and shelf."""
    wanted = {name: value for name in ("agent_id", *_OPTIONAL) if (value := getattr(chosen, name)) is not None}
    if chosen.tag is None:
        return [sessions.c[name] == value for name, value in wanted.items()]
    conditions = [session_tags.c.tag == chosen.tag]
    for name in ("agent_id", "external_customer_id"):
        if name in wanted:
            conditions.append(session_tags.c[name] == wanted.pop(name))
    if wanted:
        same = sessions.c.id == session_tags.c.session_id
        conditions.append(exists().where(same, *(sessions.c[name] == value for name, value in wanted.items())))
    return conditions


def _first_ids(chosen: SessionFilter) -> list[UUID]:
    """Lower bounds of the ids, inclusive."""
    after = chosen.created_after
    return [] if after is None else [_first_id((after - UNIX_EPOCH) // MILLISECOND + 1)]


def _end_ids(chosen: SessionFilter, starting_after: UUID | None) -> list[UUID]:
    """Upper bounds of the ids, exclusive."""
    before = chosen.created_before
    bounds = [] if before is None else [_first_id(-((UNIX_EPOCH - before) // MILLISECOND))]
    return bounds if starting_after is None else [*bounds, starting_after]


def _first_id(milliseconds: int) -> UUID:
    """The smallest UUIDv7 of that millisecond since 1970 (RFC 9562 §5.7)."""
    return UUID(int=min(max(milliseconds, 0), _LAST_MILLISECOND) << 80)
