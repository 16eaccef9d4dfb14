"""Pages of lists and histories: the same at a thousand rows and at a million?"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

import psycopg
from pydantic import SecretStr

from bench.measuring.machine import describe
from bench.measuring.spread import median, percentile
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.list_pages import Asked, Filled, pages
from bench.scenes.many_rows import fill_lists
from bench.scenes.many_sessions import fill
from bench.scenes.parley_stack import MASTER_KEY, ParleyApi, parley_api
from sessions.ids import format_id
from store.access.api_keys import ApiKeys
from store.database.database import Database

_WARM_UP = 10  # at most so many rounds
_READS = 5  # of each read that has no pages
_RATIO = 1.3

Times = dict[tuple[str, str, int], list[float]]
"""Milliseconds by (how it was asked, name of the page, rows in the database)."""


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
            print_note(f"{rows:,} rows of everything after {time.monotonic() - started:.0f} s")
        times = asyncio.run(_through_the_store(databases, options.pages))
        apis = [(filled, stack.enter_context(parley_api(filled.url, options.folder))) for filled in databases]
        times.update(_through_http(apis, options.pages))
        whole = _whole(apis)
    print_title(f"lists: a page at {small:,} and at {large:,} rows; ms, median and p95 of {options.pages}")
    print_note(describe())
    names = [(how, name) for how, name, rows in times if rows == small]
    ratios = {key: median(times[(*key, large)]) / median(times[(*key, small)]) for key in names}
    shown = []
    for how, name in names:
        figures = [f"{one:.2f}" for rows in options.rows for one in _median_and_p95(times[how, name, rows])]
        shown.append((f"{how}: {name}", *figures, f"{ratios[how, name]:.2f}"))
    print_table(("page", f"{small:,}", "p95", f"{large:,}", "p95", "ratio"), shown)
    print_note("Two databases on one server, asked in turn; each page's sessions are behind all that it must not read.")
    print_title("what is read whole, over HTTP; ms, median: it grows with what it reads")
    print_table(("", f"{small:,}", f"{large:,}"), whole)
    print_goal("ratio, newest 20 over HTTP", ratios["http", pages()[0].name], at_most=_RATIO)
    for how in ("store", "http"):
        worst = max((key for key in names if key[0] == how), key=lambda key: ratios[key])
        print_goal(f"ratio, the worst page through {how} ({worst[1]})", ratios[worst], at_most=_RATIO)


def _median_and_p95(values: list[float]) -> tuple[float, float]:
    return median(values), percentile(values, 95)


def _fill(url: str, small: int, rows: int) -> Filled:
    asyncio.run(_make_organization(url))
    fill(url, small=small, wanted=rows)
    session = fill_lists(url, rows=rows)
    with psycopg.connect(url) as conn:
        found = conn.execute("SELECT id FROM sessions ORDER BY id OFFSET %s LIMIT 1", (rows // 2,)).fetchone()
    assert found is not None
    return Filled(url, rows, found[0], session)


async def _make_organization(url: str) -> None:
    async with Database.open(url, timeout_seconds=10, application_name="bench") as db:
        await ApiKeys(db).ensure_master(SecretStr(MASTER_KEY))


async def _through_the_store(databases: list[Filled], count: int) -> Times:
    times: Times = defaultdict(list)
    async with contextlib.AsyncExitStack() as stack:
        asked = []
        for filled in databases:
            db = await stack.enter_async_context(
                Database.open(filled.url, timeout_seconds=30, application_name="bench")
            )
            asked.append(Asked.on(filled, db))
        warm_up = min(count, _WARM_UP)
        for number in range(warm_up + count):
            for page, one in product(pages(), asked):
                started = time.perf_counter()
                await page.ask(one)
                if number >= warm_up:
                    times["store", page.name, one.filled.rows].append(1000 * (time.perf_counter() - started))
    return times


def _through_http(apis: Sequence[tuple[Filled, ParleyApi]], count: int) -> Times:
    times: Times = defaultdict(list)
    warm_up = min(count, _WARM_UP)
    for number in range(warm_up + count):
        for page, (filled, api) in product(pages(), apis):
            if path := page.path(filled):
                started = time.perf_counter()
                api.call("GET", path)
                if number >= warm_up:
                    times["http", page.name, filled.rows].append(1000 * (time.perf_counter() - started))
    return times


def _whole(apis: Sequence[tuple[Filled, ParleyApi]]) -> list[tuple[str, ...]]:
    """The reads that have no pages."""
    one = "/v1/sessions/{}"
    paths = {
        "sums of the month": "/v1/usage",
        "sums of the month, by customer": "/v1/usage?group_by=external_customer_id",
        "transcript of the whole log": f"{one}/transcript",
        "timeline (no transition among the events)": f"{one}/timeline",
    }
    return [
        (name, *(_time_of(api, path.format(format_id("sess", filled.session.id))) for filled, api in apis))
        for name, path in paths.items()
    ]


def _time_of(api: ParleyApi, path: str) -> str:
    def times() -> Iterator[float]:
        for _ in range(_READS):
            started = time.perf_counter()
            api.call("GET", path)
            yield 1000 * (time.perf_counter() - started)

    try:
        return f"{median(list(times())):.1f}"
    except RuntimeError as error:
        return str(error).split(": ", 1)[1][:3]  # the HTTP status
