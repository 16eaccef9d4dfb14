"""An honest client beside an attack: how long its answers take, and how many it doesn't get."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from bench.measuring.spread import percentile
from tools.attack.api_scene import Client

_BETWEEN_SECONDS = 0.01


@dataclass
class Waited:
    """Milliseconds of each answer; `refused` are those that were none, or no 2xx."""

    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def p99(self) -> float:
        """In milliseconds."""
        return percentile(self.milliseconds, 99)

    def __str__(self) -> str:
        p50 = percentile(self.milliseconds, 50)
        return f"p50 {p50:.1f} ms, p99 {self.p99:.1f} ms, refused {self.refused} of {len(self.milliseconds)}"


async def ask(client: Client, count: int, paths: Sequence[str] = ("/v1/sessions?limit=1",)) -> Waited:
    """So many requests, one after the other, with a short pause between them."""
    waited = Waited()
    for number in range(count):
        began = time.perf_counter()
        try:
            status, _ = await client.send("GET", paths[number % len(paths)])
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        waited.milliseconds.append(1000 * (time.perf_counter() - began))
        waited.refused += not 200 <= status < 300
        await asyncio.sleep(_BETWEEN_SECONDS)
    return waited
