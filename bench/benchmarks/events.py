"""From an event's commit until it can be read, and pages of the log at a thousand rows and at a million."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import aiohttp

from bench.measuring.machine import BusyMeter, describe
from bench.measuring.spread import median, percentile
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.organization_log import AGENT, RARE, SESSION, OrganizationLog, organization_log
from bench.scenes.parley_stack import MASTER_KEY, ParleyApi, parley_api
from sessions.ids import format_id

_WARM_UP = 5
_PAUSE_SECONDS = 0.15  # between events: nothing else is on its way
_RATIO = 1.3

# Name, whether it begins in the middle of the log, and what is asked.
_PAGES: tuple[tuple[str, bool, dict[str, str]], ...] = (
    ("first", False, {}),
    ("after the middle", True, {}),
    ("first, of a rare type", False, {"types": RARE}),
    ("after the middle, of an agent", True, {"agent_id": AGENT}),
    ("after the middle, of a session", True, {"session_id": format_id("sess", SESSION)}),
)

Times = dict[tuple[str, int], list[float]]
"""Milliseconds by (name of the page, rows in the log)."""


def bench_events(options: Options) -> None:
    """Run the benchmark."""
    with contextlib.ExitStack() as stack:
        maintenance = stack.enter_context(postgres(options.database_url, options.folder))
        urls = {rows: stack.enter_context(fresh_database(maintenance)) for rows in options.rows}
        asyncio.run(_fill(urls))
        apis = {rows: stack.enter_context(parley_api(url, options.folder)) for rows, url in urls.items()}
        times = asyncio.run(_pages(options, urls, apis))
        busy = BusyMeter()
        streamed, listed = asyncio.run(_latencies(urls[options.rows[-1]], apis[options.rows[-1]], options.messages))
        was_busy = busy.read()
    _judge_pages(options, times)
    print_title(f"events: from the commit until it can be read, milliseconds, {options.messages} events, one at a time")
    print_note(describe())
    for_reading = {"a stream has it": streamed, "GET /v1/events?after= has answered with it": listed}
    rows = [
        (name, *(f"{one:.1f}" for one in (median(found), percentile(found, 95), max(found))))
        for name, found in for_reading.items()
    ]
    print_table(("", "p50", "p95", "max"), rows)
    print_note(f"Machine {was_busy.machine_percent:.0f} % busy, {was_busy.strangers_percent:.0f} % by others.")
    print_goal("commit → stream, p95 ms", percentile(streamed, 95), at_most=200)
    print_goal("commit → list, p95 ms", percentile(listed, 95), at_most=200)


def _judge_pages(options: Options, times: Times) -> None:
    small, large = options.rows
    print_title(f"events: a page of 20 over HTTP at {small:,} and at {large:,} rows; ms, median and p95")
    print_note(describe())
    ratios = {name: median(times[name, large]) / median(times[name, small]) for name, _, _ in _PAGES}
    shown = []
    for name, ratio in ratios.items():
        found = [times[name, rows] for rows in options.rows]
        figures = [f"{one:.2f}" for some in found for one in (median(some), percentile(some, 95))]
        shown.append((name, *figures, f"{ratio:.2f}"))
    print_table(("page", f"{small:,}", "p95", f"{large:,}", "p95", "ratio"), shown)
    worst = max(ratios, key=lambda name: ratios[name])
    print_goal(f"ratio, the worst page ({worst})", ratios[worst], at_most=_RATIO)


async def _fill(urls: dict[int, str]) -> None:
    for rows, url in urls.items():
        started = time.monotonic()
        async with organization_log(url, rows):
            print_note(f"{rows:,} events after {time.monotonic() - started:.0f} s")


async def _pages(options: Options, urls: dict[int, str], apis: dict[int, ParleyApi]) -> Times:
    middles = {}
    for rows, url in urls.items():
        async with organization_log(url) as log:
            middles[rows] = str(await log.cursor_at(rows // 2))
    times: Times = defaultdict(list)
    for number in range(_WARM_UP + options.pages):
        for name, in_the_middle, asked in _PAGES:
            for rows, api in apis.items():
                query = {"limit": "20", **asked} | ({"after": middles[rows]} if in_the_middle else {})
                started = time.perf_counter()
                answer = api.call("GET", f"/v1/events?{urlencode(query)}")
                elapsed_ms = 1000 * (time.perf_counter() - started)
                if not answer["data"] and rows >= 10_000:
                    raise RuntimeError(f"this page is empty: {name}")
                if number >= _WARM_UP:
                    times[name, rows].append(elapsed_ms)
    return times


async def _latencies(url: str, api: ParleyApi, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds until a stream has an event, and until a list asked for right after the commit has it."""
    headers = {"Authorization": f"Bearer {MASTER_KEY}"}
    streamed, listed = [], []
    async with (
        organization_log(url) as log,
        aiohttp.ClientSession(headers=headers, timeout=_NO_TIMEOUT) as http,
        http.get(f"{api.url}/v1/events/stream") as answer,
    ):
        arrivals = _arrivals(answer)
        for number in range(_WARM_UP + count):
            await asyncio.sleep(_PAUSE_SECONDS)
            committed = await _commit(log)
            arrived = await anext(arrivals)
            if number >= _WARM_UP:
                streamed.append(1000 * (arrived - committed))
            await asyncio.sleep(_PAUSE_SECONDS)
            cursor = await log.events.newest_cursor(log.organization_id)
            committed = await _commit(log)
            async with http.get(f"{api.url}/v1/events", params={"after": str(cursor)}) as page:
                if len((await page.json())["data"]) != 1:
                    raise RuntimeError("a list lacks what was committed before it was asked for")
            if number >= _WARM_UP:
                listed.append(1000 * (time.monotonic() - committed))
            await anext(arrivals)
    return streamed, listed


async def _commit(log: OrganizationLog) -> float:
    await log.happen()
    return time.monotonic()


async def _arrivals(answer: aiohttp.ClientResponse) -> AsyncIterator[float]:
    """When each event came."""
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield time.monotonic()


_NO_TIMEOUT = aiohttp.ClientTimeout()
