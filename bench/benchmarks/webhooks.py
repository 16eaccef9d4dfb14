"""From an event's commit to the receivers of webhooks, while one among them never answers; and a replay of many."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiohttp import web

from bench.measuring.machine import BusyMeter, describe
from bench.measuring.spread import percentile
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.organization_log import organization_log
from bench.scenes.parley_stack import ParleyApi, parley_api, parley_worker

_WARM_UP = 3
_PAUSE_SECONDS = 2.0  # between events: each is 50 deliveries
_LAST_SECONDS = 60.0
_REPLAY_SECONDS = 600.0
_LOOK_SECONDS = 0.05
_ANYWHERE = {
    "PARLEY_WEBHOOK_ALLOW_HTTP": "true",
    "PARLEY_WEBHOOK_ALLOW_PRIVATE_HOSTS": "true",
    "PARLEY_WEBHOOK_PORTS": "0",
}


@dataclass
class _Receivers:
    """One server with a path per endpoint; `/dead` never answers.

    Attributes:
        arrivals: path → mark of the event → when it came first.
        posts: how many came in all.
    """

    url: str = ""
    posts: int = 0
    arrivals: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))

    async def until(self, reached: Callable[[], bool]) -> None:
        """Look often."""
        while True:
            if reached():
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def take(self, request: web.Request) -> web.Response:
        event = await request.json()
        self.posts += 1
        self.arrivals[request.path].setdefault(event["data"]["endpoint_id"], time.monotonic())
        if request.path == "/dead":
            await asyncio.Event().wait()
        return web.Response(status=204)


def bench_webhooks(options: Options) -> None:
    """Run the benchmark."""
    with contextlib.ExitStack() as stack:
        maintenance = stack.enter_context(postgres(options.database_url, options.folder))
        url = stack.enter_context(fresh_database(maintenance))
        api = stack.enter_context(parley_api(url, options.folder, _ANYWHERE))
        stack.enter_context(
            parley_worker(
                url,
                options.folder,
                processes=1,
                heartbeat_seconds=options.heartbeat_seconds,
                settings=_ANYWHERE,
            )
        )
        busy = BusyMeter()
        times = {
            name: asyncio.run(_deliver(url, api, options, dead=dead))
            for name, dead in (("all answer", 0), ("one never answers", 1))
        }
        replay_seconds, wrong = asyncio.run(_replay(url, api, options.replayed))
        was_busy = busy.read()
    print_title(f"webhooks: commit → receiver, milliseconds, {options.endpoints} endpoints, {options.hooked} events")
    print_note(describe())
    rows = [(name, *(f"{percentile(found, one):.0f}" for one in (50, 95, 100))) for name, found in times.items()]
    print_table(("of those that answer", "p50", "p95", "max"), rows)
    print_note(f"One event every {_PAUSE_SECONDS} s goes to all of them; one process posts.")
    speed = options.replayed / replay_seconds
    print_note(
        f"A replay of {options.replayed:,} events to one endpoint took {replay_seconds:.0f} s: {speed:.0f} a second."
    )
    print_note(f"Machine {was_busy.machine_percent:.0f} % busy, {was_busy.strangers_percent:.0f} % by others.")
    print_goal("while one never answers, the others' p95 ms", percentile(times["one never answers"], 95), at_most=1000)
    print_goal("of a replay, events that came never or twice", wrong, at_most=0)


async def _deliver(url: str, api: ParleyApi, options: Options, *, dead: int) -> list[float]:
    paths = [*(["/dead"] * dead), *(f"/live-{number}" for number in range(options.endpoints - dead))]
    async with _receivers() as receivers, organization_log(url) as log:
        endpoints = [api.call("POST", "/v1/webhook_endpoints", {"url": receivers.url + path})["id"] for path in paths]
        committed = {}
        for number in range(_WARM_UP + options.hooked):
            await log.happen(str(number))
            committed[str(number)] = time.monotonic()
            await asyncio.sleep(_PAUSE_SECONDS)
        live = [receivers.arrivals[path] for path in paths if path != "/dead"]
        deadline = time.monotonic() + _LAST_SECONDS
        while any(len(arrivals) < len(committed) for arrivals in live):
            if time.monotonic() > deadline:
                raise RuntimeError("webhooks did not come")
            await asyncio.sleep(0.05)
        for endpoint in endpoints:
            api.call("DELETE", f"/v1/webhook_endpoints/{endpoint}")
        marks = list(committed)[_WARM_UP:]
        return [1000 * (arrivals[mark] - committed[mark]) for arrivals in live for mark in marks]


async def _replay(url: str, api: ParleyApi, count: int) -> tuple[float, int]:
    """How long it takes until all have come, and how many came never or twice."""
    marks = {f"past-{number}" for number in range(count)}
    async with _receivers() as receivers, organization_log(url) as log:
        before = await log.events.newest_cursor(log.organization_id)
        await log.happen_often(marks)
        await log.events.newest_cursor(log.organization_id)  # numbers them
        endpoint = api.call("POST", "/v1/webhook_endpoints", {"url": f"{receivers.url}/past"})
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        began = time.monotonic()
        api.call("POST", f"{path}/replay", {"after": str(before)})
        came = receivers.arrivals["/past"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REPLAY_SECONDS):
                await receivers.until(lambda: len(came) == count)
        took = time.monotonic() - began
        await receivers.until(lambda: api.call("GET", path)["replaying_since"] is None)
        return took, len(marks - came.keys()) + receivers.posts - len(came)


@contextlib.asynccontextmanager
async def _receivers() -> AsyncIterator[_Receivers]:
    self = _Receivers()
    app = web.Application()
    app.router.add_post("/{path}", self.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield self
    finally:
        await runner.cleanup()
