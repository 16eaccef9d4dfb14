"""Pages of the session list: the same at a thousand rows and at a million?"""

import asyncio
import contextlib
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import product
from urllib.parse import urlencode
from uuid import UUID

import psycopg
from pydantic import SecretStr

from bench.database import fresh_database, postgres
from bench.machine import describe
from bench.many_sessions import RARE, RARE_AGENT, RARE_TAG, fill
from bench.options import Options
from bench.parley_stack import MASTER_KEY, ParleyApi, parley_api
from bench.spread import median, percentile
from bench.table import print_goal, print_note, print_table, print_title
from sessions.ids import format_id
from sessions.lifecycle import Status
from store.api_keys import ApiKeys
from store.database import Database
from store.session_filter import SessionFilter
from store.sessions_table import Sessions
from store.vault import TokenVault

_WARM_UP = 10  # rounds at most


@dataclass(frozen=True, slots=True)
class _Page:
    """A kind of page: as the store is asked for it, and as HTTP is."""

    name: str
    chosen: SessionFilter = field(default_factory=SessionFilter)
    limit: int = 20
    query: tuple[tuple[str, str], ...] = ()
    from_the_middle: bool = False


_PAGES = (
    _Page("newest 20"),
    _Page("newest 100", limit=100),
    _Page("20 from the middle", from_the_middle=True),
    _Page("status=failed (5 %)", SessionFilter(statuses=frozenset({Status.FAILED})), query=(("status", "failed"),)),
    _Page(
        f"status=created ({RARE}, oldest)",
        SessionFilter(statuses=frozenset({Status.CREATED})),
        query=(("status", "created"),),
    ),
    _Page(
        "status=terminal (99 %)",
        SessionFilter(statuses=frozenset({Status.ENDED, Status.FAILED, Status.CANCELED})),
        query=(("status", "terminal"),),
    ),
    _Page(f"agent_id ({RARE}, oldest)", SessionFilter(agent_id=RARE_AGENT), query=(("agent_id", RARE_AGENT),)),
    _Page(f"tag ({RARE}, oldest)", SessionFilter(tag=RARE_TAG), query=(("tag", RARE_TAG),)),
    _Page(
        "agent_id and status=failed",
        SessionFilter(agent_id=RARE_AGENT, statuses=frozenset({Status.FAILED})),
        query=(("agent_id", RARE_AGENT), ("status", "failed")),
    ),
)

Times = dict[tuple[str, str, int], list[float]]
"""Milliseconds by (how it was asked, name of the page, sessions in the database)."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """A database with `rows` sessions; `middle` is the id in the middle of them."""

    url: str
    rows: int
    organization: UUID
    middle: UUID


def bench_lists(options: Options) -> None:
    """Run the benchmark."""
    small, large = options.rows
    with contextlib.ExitStack() as stack:
        maintenance = stack.enter_context(postgres(options.database_url, options.folder))
        databases = []
        for rows in options.rows:
            started = time.monotonic()
            url = stack.enter_context(fresh_database(maintenance))
            databases.append(_fill(url, small, rows))
            print_note(f"{rows:,} sessions after {time.monotonic() - started:.0f} s")
        times = asyncio.run(_through_the_store(databases, options.pages))
        apis = [(filled, stack.enter_context(parley_api(filled.url, options.folder))) for filled in databases]
        times.update(_through_http(apis, options.pages))
    print_title(f"lists: a page at {small:,} and at {large:,} sessions; ms, median and p95 of {options.pages}")
    print_note(describe())
    names = [(how, name) for how, name, rows in times if rows == small]
    ratios = {key: median(times[(*key, large)]) / median(times[(*key, small)]) for key in names}
    shown = []
    for how, name in names:
        figures = [f"{one:.2f}" for rows in options.rows for one in _median_and_p95(times[how, name, rows])]
        shown.append((f"{how}: {name}", *figures, f"{ratios[how, name]:.2f}"))
    print_table(("page", f"{small:,}", "p95", f"{large:,}", "p95", "ratio"), shown)
    print_note("Two databases on one server, asked in turn; usage is read with every session.")
    print_goal("ratio, newest 20 over HTTP", ratios["http", _PAGES[0].name], at_most=1.3)
    print_goal("ratio, the worst of all pages", max(ratios.values()), at_most=1.3)


def _median_and_p95(values: list[float]) -> tuple[float, float]:
    return median(values), percentile(values, 95)


def _fill(url: str, small: int, rows: int) -> _Filled:
    asyncio.run(_make_organization(url))
    fill(url, small=small, wanted=rows)
    with psycopg.connect(url) as conn:
        found = conn.execute(
            "SELECT organization_id, id FROM sessions ORDER BY id OFFSET %s LIMIT 1", (rows // 2,)
        ).fetchone()
    assert found is not None
    return _Filled(url, rows, *found)


async def _make_organization(url: str) -> None:
    async with Database.open(url, timeout_seconds=10, application_name="bench") as db:
        await ApiKeys(db).ensure_master(SecretStr(MASTER_KEY))


async def _through_the_store(databases: list[_Filled], pages: int) -> Times:
    times: Times = defaultdict(list)
    async with contextlib.AsyncExitStack() as stack:
        asked = []
        for filled in databases:
            db = await stack.enter_async_context(
                Database.open(filled.url, timeout_seconds=30, application_name="bench")
            )
            asked.append((filled, Sessions(db, TokenVault([SecretStr("b" * 40)]))))
        warm_up = min(pages, _WARM_UP)
        for number in range(warm_up + pages):
            for page, (filled, sessions) in product(_PAGES, asked):
                after = filled.middle if page.from_the_middle else None
                started = time.perf_counter()
                await sessions.list(filled.organization, page.chosen, page.limit, after)
                if number >= warm_up:
                    times["store", page.name, filled.rows].append(1000 * (time.perf_counter() - started))
    return times


def _through_http(apis: list[tuple[_Filled, ParleyApi]], pages: int) -> Times:
    times: Times = defaultdict(list)
    warm_up = min(pages, _WARM_UP)
    for number in range(warm_up + pages):
        for page, (filled, api) in product(_PAGES, apis):
            query = [("limit", str(page.limit)), *page.query]
            if page.from_the_middle:
                query.append(("starting_after", format_id("sess", filled.middle)))
            path = f"/v1/sessions?{urlencode(query)}"
            started = time.perf_counter()
            api.call("GET", path)
            if number >= warm_up:
                times["http", page.name, filled.rows].append(1000 * (time.perf_counter() - started))
    return times
