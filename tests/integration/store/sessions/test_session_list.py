"""The session list: every session exactly once, newest first, and every filter means what it says."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from sessions.lifecycle.lifecycle import ACTIVE, ALIASES, TERMINAL, Status
from store.sessions.filter import SessionFilter, page_of_ids
from tests.integration.store.store_services import StoreServices, store_services

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

_INSERT = text(
    """
    INSERT INTO sessions (id, organization_id, kind, status, quality, multiplier, max_duration_seconds, outcome,
        ending_at, idle_timeout_seconds, layout, on_pause, agent_id, task_id, project_id, external_customer_id, tags,
        archived_at, created_at, updated_at)
    SELECT id, organization_id, 'voice', status, 'standard', 1, 60, 'ended', now(), 30, 'mono', 'silence',
        coalesce(agent_id, 'agent'), task_id, project_id, external_customer_id, coalesce(tags, '{}'), archived_at,
        now(), now()
    FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS row(id uuid, organization_id uuid, status text, agent_id text,
        task_id text, project_id text, external_customer_id text, tags text[], archived_at timestamptz)
    """
)


async def _insert(store: StoreServices, rows: list[dict[str, Any]], organization_id: UUID | None = None) -> None:
    """Sessions as the past left them, with ids of our choice."""
    owner = str(organization_id or store.organization_id)
    given_rows = [{"status": "ended", **row, "id": str(row["id"]), "organization_id": owner} for row in rows]
    async with store.db.begin() as conn:
        await conn.execute(_INSERT, {"rows": json.dumps(given_rows, default=str)})


def _filter(**fields: Any) -> SessionFilter:
    """One with fields whose names are data here."""
    return SessionFilter(**fields)


def _id_at(when: datetime, number: int = 0) -> UUID:
    milliseconds = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number)


async def _walk(store: StoreServices, chosen: SessionFilter, limit: int) -> list[UUID]:
    found: list[UUID] = []
    more, after = True, None
    while more:
        page, more = await store.sessions.queries.list(store.organization_id, chosen, limit, after)
        assert len(page) == limit or not more
        found += [session.id for session in page]
        after = found[-1] if found else None
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_walk_meets_every_session_once_newest_first(database_url: str, data: st.DataObject) -> None:
    """Whatever the ids, the order of insertion, the statuses asked for and the page size."""
    numbers = data.draw(st.lists(st.integers(0, 2**20), unique=True, max_size=60), label="ids, in order of insertion")
    statuses = data.draw(st.lists(st.sampled_from(sorted(Status)), min_size=len(numbers), max_size=len(numbers)))
    asked = data.draw(st.none() | st.frozensets(st.sampled_from(sorted(Status)), min_size=1), label="asked for")
    limit = data.draw(st.integers(1, 25), label="limit")
    async with store_services(database_url) as store:
        await store.execute("DELETE FROM sessions")
        rows: list[dict[str, Any]] = [
            {"id": _id_at(START + timedelta(milliseconds=number % 50), number), "status": str(status)}
            for number, status in zip(numbers, statuses, strict=True)
        ]
        await _insert(store, rows)
        await _insert(store, [{"id": _id_at(START, 2**21)}], UUID(int=7))
        expected = [row["id"] for row in rows if asked is None or row["status"] in asked]
        assert await _walk(store, SessionFilter(statuses=asked), limit) == sorted(expected, reverse=True)


async def test_a_cursor_need_not_exist(database_url: str) -> None:
    """A page starts after where the id would be."""
    async with store_services(database_url) as store:
        ids = [_id_at(START, number) for number in (1, 3, 5)]
        await _insert(store, [{"id": id_} for id_ in ids])
        page, more = await store.sessions.queries.list(store.organization_id, SessionFilter(), 10, _id_at(START, 4))
        assert ([session.id for session in page], more) == ([ids[1], ids[0]], False)


@pytest.mark.parametrize("name", ["agent_id", "task_id", "project_id", "external_customer_id"])
async def test_a_filter_by_a_column_keeps_what_equals_it(database_url: str, name: str) -> None:
    """Only exact matches, also together with a status."""
    async with store_services(database_url) as store:
        values = ["x", "y", "X", "x ", "x", None]
        rows = [
            {"id": _id_at(START, number), name: value, "status": "failed" if number else "running"}
            for number, value in enumerate(values)
        ]
        await _insert(store, rows)
        chosen = _filter(**{name: "x"})
        assert await _walk(store, chosen, 1) == [rows[4]["id"], rows[0]["id"]]
        assert await _walk(store, replace(chosen, statuses=TERMINAL), 5) == [rows[4]["id"]]


async def test_a_tag_is_one_of_the_session_s_tags(database_url: str) -> None:
    """Whole tags, any position."""
    async with store_services(database_url) as store:
        tags = [["a"], ["b", "a"], ["ab"], [], ["A"]]
        await _insert(store, [{"id": _id_at(START, number), "tags": value} for number, value in enumerate(tags)])
        assert await _walk(store, SessionFilter(tag="a"), 5) == [_id_at(START, 1), _id_at(START, 0)]
        await store.execute("UPDATE sessions SET tags = '{a,c,c}' WHERE tags <> '{}' AND tags <> '{a}'")
        await store.execute("UPDATE sessions SET tags = '{}' WHERE tags = '{a}'")
        chosen = SessionFilter(tag="a", statuses=TERMINAL, created_after=START - timedelta(seconds=1))
        assert await _walk(store, chosen, 1) == [_id_at(START, number) for number in (4, 2, 1)]
        assert await _walk(store, SessionFilter(tag="ab"), 5) == []


async def test_archived_sessions_are_shown_when_asked_for(database_url: str) -> None:
    """`false` is the default, `true` is only those, `any` is both."""
    async with store_services(database_url) as store:
        old, new = _id_at(START, 1), _id_at(START, 2)
        await _insert(store, [{"id": old, "archived_at": START.isoformat()}, {"id": new}])
        assert await _walk(store, SessionFilter(), 5) == [new]
        assert await _walk(store, SessionFilter(archived="true"), 5) == [old]
        assert await _walk(store, SessionFilter(archived="any"), 5) == [new, old]


@pytest.mark.parametrize("alias", ["active", "terminal"])
async def test_an_alias_is_its_set_of_statuses(database_url: str, alias: str) -> None:
    """Between them they are all sessions, and share none."""
    async with store_services(database_url) as store:
        ids = {status: _id_at(START, number) for number, status in enumerate(Status)}
        await _insert(store, [{"id": id_, "status": str(status)} for status, id_ in ids.items()])
        found = await _walk(store, SessionFilter(statuses=ALIASES[alias]), 2)
        assert set(found) == {ids[status] for status in ALIASES[alias]}
        assert await _walk(store, SessionFilter(statuses=ACTIVE | TERMINAL), 4) == sorted(ids.values(), reverse=True)


@pytest.mark.parametrize("microseconds", [0, 1, 500, 999])
async def test_time_bounds_exclude_their_millisecond(database_url: str, microseconds: int) -> None:
    """`created_at` has milliseconds: what lies exactly on a bound is out, a finer bound cuts between."""
    async with store_services(database_url) as store:
        moments = [START + timedelta(milliseconds=number) for number in range(5)]
        await _insert(store, [{"id": _id_at(moment, 2**60)} for moment in moments])
        bound = moments[2] + timedelta(microseconds=microseconds)
        after = await _walk(store, SessionFilter(created_after=bound), 5)
        before = await _walk(store, SessionFilter(created_before=bound), 5)
        assert after == [_id_at(moment, 2**60) for moment in reversed(moments) if moment > bound]
        assert before == [_id_at(moment, 2**60) for moment in reversed(moments) if moment < bound]
        both = SessionFilter(created_after=moments[0], created_before=moments[4])
        assert await _walk(store, both, 2) == [_id_at(moment, 2**60) for moment in reversed(moments[1:4])]


@pytest.mark.parametrize("bound", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
async def test_bounds_outside_of_an_id_s_range_are_no_error(database_url: str, bound: datetime) -> None:
    """Everything lies after the year 1 and before the year 9999."""
    async with store_services(database_url) as store:
        await _insert(store, [{"id": _id_at(START)}])
        everything, nothing = [_id_at(START)], []  # type: tuple[list[UUID], list[UUID]]
        early = bound.year == 1
        assert await _walk(store, SessionFilter(created_after=bound), 5) == (everything if early else nothing)
        assert await _walk(store, SessionFilter(created_before=bound), 5) == (nothing if early else everything)


async def _rows_read(store: StoreServices, chosen: SessionFilter) -> float:
    """How many rows PostgreSQL touches for a page of 20."""
    async with store.db.begin() as conn:
        query = page_of_ids(store.organization_id, chosen, 20, None).compile(
            dialect=conn.dialect, compile_kwargs={"literal_binds": True}
        )
        [(plan,)] = (await conn.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".replace("%", "%%"))).all()
    return _rows_touched(plan[0]["Plan"])


def _rows_touched(node: dict[str, Any]) -> float:
    own = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return float(own) + sum(_rows_touched(child) for child in node.get("Plans", []))


_MANY = """
    INSERT INTO sessions (id, organization_id, kind, status, quality, multiplier, max_duration_seconds, outcome,
        ending_at, idle_timeout_seconds, layout, on_pause, agent_id, task_id, project_id, external_customer_id, tags,
        archived_at, created_at, updated_at)
    SELECT (lpad(to_hex(1760000000000 + i), 12, '0') || '70008000000000000000')::uuid, :org, 'voice', 'ended',
        'standard', 1, 60, 'ended', now(), 30, 'mono', 'silence', 'agent', 'task', 'project', 'customer', '{common}',
        CASE WHEN :archived THEN now() END, now(), now()
    FROM generate_series(1, 20000) AS i
"""


@pytest.mark.parametrize("archived", [False, True], ids=["none archived", "all archived"])
async def test_a_page_reads_a_bounded_number_of_rows(database_url: str, archived: bool) -> None:
    """No scan of the organization's sessions, no sort of them: at 20,000 rows a page touches at most a few hundred.

    Whatever it is chosen by: by nothing, by what nothing has, by what everything has, or by both.
    """
    everywhere: dict[str, Any] = {
        "agent_id": "agent",
        "task_id": "task",
        "project_id": "project",
        "external_customer_id": "customer",
        "tag": "common",
    }
    asked = [
        SessionFilter(),
        SessionFilter(statuses=ACTIVE),
        SessionFilter(statuses=TERMINAL),
        SessionFilter(archived="true"),
        SessionFilter(archived="any"),
        SessionFilter(created_before=START),
        SessionFilter(agent_id="nobody's", statuses=TERMINAL),
    ]
    for name, value in everywhere.items():
        asked += [
            _filter(**{name: "nobody's"}),
            _filter(**{name: value}),
            _filter(**{name: value}, archived="true"),
            _filter(**{name: value}, statuses=frozenset({Status.FAILED})),
            SessionFilter(**{"agent_id": "nobody's", name: value}),
            SessionFilter(**{"agent_id": "agent", name: value}, statuses=ACTIVE),
        ]
    async with store_services(database_url) as store:
        await store.execute(_MANY, org=store.organization_id, archived=archived)
        await store.execute("ANALYZE sessions, session_tags")
        read = {chosen: await _rows_read(store, chosen) for chosen in asked}
        assert {chosen: rows for chosen, rows in read.items() if rows > 500} == {}


async def test_a_page_reads_no_other_agent_s_sessions(database_url: str) -> None:
    """An agent that has most sessions and archives none, beside one that archives all: the planner is not misled."""
    async with store_services(database_url) as store:
        await store.execute(_MANY, org=store.organization_id, archived=False)
        await store.execute(
            "UPDATE sessions SET agent_id = 'filing', archived_at = now() WHERE uuid_extract_timestamp(id) >"
            " (SELECT max(uuid_extract_timestamp(id)) FROM sessions) - interval '4 seconds'"
        )
        await store.execute("ANALYZE sessions, session_tags")
        for more in ({}, {"task_id": "task"}, {"tag": "common"}):
            assert await _rows_read(store, _filter(agent_id="agent", archived="true", **more)) <= 500


async def test_a_page_of_a_customer_s_tag_reads_no_other_sessions(database_url: str) -> None:
    """One customer's sessions have no tag, all others' have it: no session is both, and none is looked at."""
    chosen = SessionFilter(external_customer_id="untagged", tag="common")
    async with store_services(database_url) as store:
        await store.execute(_MANY, org=store.organization_id, archived=False)
        await store.execute(
            "UPDATE sessions SET external_customer_id = 'untagged', tags = '{}' WHERE uuid_extract_timestamp(id) <"
            " (SELECT max(uuid_extract_timestamp(id)) FROM sessions) - interval '19 seconds'"
        )
        await store.execute("ANALYZE sessions, session_tags")
        for one in (chosen, replace(chosen, agent_id="agent"), replace(chosen, statuses=TERMINAL)):
            assert await _rows_read(store, one) <= 500
        assert await _walk(store, chosen, 5) == []


async def test_a_tag_follows_its_session(database_url: str) -> None:
    """A page by tag sees the status and the archive as they are now."""
    async with store_services(database_url) as store:
        [one, two] = ids = [_id_at(START, number) for number in (1, 2)]
        await _insert(store, [{"id": id_, "tags": ["a"], "status": "running"} for id_ in ids])
        await store.execute("UPDATE sessions SET status = 'ended' WHERE id = :id", id=one)
        await store.execute("UPDATE sessions SET archived_at = now() WHERE id = :id", id=two)
        assert await _walk(store, SessionFilter(tag="a", statuses=TERMINAL), 5) == [one]
        assert await _walk(store, SessionFilter(tag="a", statuses=ACTIVE, archived="true"), 5) == [two]
        assert await _walk(store, SessionFilter(tag="a", agent_id="agent", archived="any"), 5) == [two, one]
        await store.execute("UPDATE sessions SET archived_at = NULL")
        assert await _walk(store, SessionFilter(tag="a", agent_id="agent"), 5) == [two, one]
        await store.execute("UPDATE sessions SET external_customer_id = 'customer' WHERE id = :id", id=one)
        chosen = SessionFilter(tag="a", external_customer_id="customer")
        assert await _walk(store, chosen, 5) == await _walk(store, replace(chosen, agent_id="agent"), 5) == [one]
