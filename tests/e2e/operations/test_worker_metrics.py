"""What /metrics of a worker says about its recorder processes."""

from collections.abc import Callable
from typing import Any

from tests.support.running.stack import Stack, eventually
from tests.support.talkers.beeps import BeepPlan


async def test_a_workers_metrics_follow_its_sessions(stack: Stack, room: str, talker: Callable[..., Any]) -> None:
    """One session runs: a slot less is free, and nothing was lost; afterwards all are free again."""
    await stack.start_api()
    await stack.start_worker(PARLEY_SESSIONS_PER_PROCESS="7")
    url = (stack.folder / "worker.url").read_text().strip()

    async def figures() -> dict[str, float]:
        _, page = await stack.call("GET", "/metrics", base=url)
        lines = [line.rpartition(" ") for line in page.splitlines() if line.startswith("parley_worker_")]
        return {name: float(value) for name, _, value in lines}

    async def shows(**expected: float) -> bool:
        now = await figures()
        return all(now.get(f'parley_worker_{name}{{recorder="recorder-0"}}') == is_ for name, is_ in expected.items())

    await eventually(lambda: shows(sessions_running=0, slots_free=7), what="an empty process")
    async with talker("ann", BeepPlan(pitch_hz=700)):
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await eventually(
            lambda: shows(sessions_running=1, slots_free=6, beats_failed_total=0, audio_records_dropped_total=0),
            what="a process with one session",
        )
        await stack.end(session["id"])
    await eventually(lambda: shows(sessions_running=0, slots_free=7, uploads_pending=0), what="an empty process again")
    dropped = {name: value for name, value in (await figures()).items() if "log_lines_dropped_total" in name}
    name = "parley_worker_log_lines_dropped_total"
    assert dropped == {f'{name}{{process="supervisor"}}': 0, f'{name}{{process="recorder-0"}}': 0}
