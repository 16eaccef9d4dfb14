"""The stack of an experiment, its rooms, and a talker in each."""

import asyncio
import contextlib
import io
import itertools
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from parley.servers.embedded_postgres import EmbeddedPostgres
from parley.servers.livekit_program import find_or_build
from parley.servers.livekit_server import LiveKitServer
from store.database.server.schema import migrate
from tests.support.rules.never_silently_wrong import Evidence
from tests.support.running.stack import Stack, eventually
from tests.support.talkers.beeps import mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice
from tools.figures.figure import Options

_TAKEOVER_SECONDS = 40.0
_FINALIZE_SECONDS = 300.0  # an hour's file, on a machine that has other work


@asynccontextmanager
async def quietly(stack: Stack) -> AsyncIterator[Stack]:
    """The stack without the logs that it prints at its end, which tests want; those of a failure are printed."""
    logs = io.StringIO()
    try:
        with contextlib.redirect_stdout(logs):
            async with stack:
                yield stack
    except BaseException:
        sys.stderr.write(logs.getvalue())
        raise


@dataclass(slots=True)
class Spoken:
    """A session, and who spoke in its room."""

    session_id: str
    talkers: list[SlotTalker]


@dataclass(slots=True)
class Scene:
    """A stack with an API, and what its experiments do again and again."""

    stack: Stack
    options: Options
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @classmethod
    @asynccontextmanager
    async def open(cls, options: Options) -> AsyncIterator["Scene"]:
        """PostgreSQL, LiveKit and an API of its own."""
        options.folder.joinpath("stack").mkdir()
        with (
            EmbeddedPostgres(options.folder / "pg", fsync=False) as url,
            LiveKitServer(find_or_build(print), options.folder / "livekit") as livekit,
        ):
            await asyncio.to_thread(migrate, url)
            async with quietly(Stack(options.folder / "stack", url, livekit)) as stack:
                await stack.start_api()
                yield cls(stack, options)

    @asynccontextmanager
    async def sessions(self, count: int, talkers: int = 1, **more: Any) -> AsyncIterator[list[Spoken]]:
        """So many sessions that run, each in a room of its own in which so many talk until the end of the block.

        Args:
            more: fields of each `SlotTalker`.
        """
        async with AsyncExitStack() as rooms:
            spoken = []
            for _ in range(count):
                room = f"figures-{next(self._numbers)}"
                talking = [
                    await rooms.enter_async_context(self._talker(room, number, **more)) for number in range(talkers)
                ]
                spoken.append(Spoken((await self.stack.create(room))["id"], talking))
            for one in spoken:
                await self.stack.reach(one.session_id, "running")
            yield spoken

    def _talker(self, room: str, number: int, **more: Any) -> SlotTalker:
        server = self.stack.livekit
        token = mint_token(server.api_key, server.api_secret, room, f"talker-{number}")
        return SlotTalker(server.url, token, SlotVoice(number), **more)

    async def epochs(self, sessions: Sequence[Spoken]) -> dict[str, int]:
        """The number of each session's run."""
        return {one.session_id: (await self.stack.get(one.session_id))["epoch"] for one in sessions}

    async def taken_over(self, sessions: Sequence[Spoken], before: dict[str, int]) -> None:
        """Wait until each of these sessions has a later run than before."""

        async def taken() -> bool:
            now = await self.epochs(sessions)
            return all(now[one.session_id] > before[one.session_id] for one in sessions)

        await eventually(taken, seconds=_TAKEOVER_SECONDS, what="the sessions were taken over")

    async def end(self, sessions: Sequence[Spoken]) -> list[Evidence]:
        """End them all; what there is of each, in the same order."""
        for one in sessions:
            status, answer = await self.stack.call("POST", f"/v1/sessions/{one.session_id}/end")
            assert status == 200, answer
        evidence = []
        for one in sessions:
            await self.stack.reach(one.session_id, "ended", "failed", "canceled", seconds=_FINALIZE_SECONDS)
            evidence.append(await self._evidence(one.session_id))
        return evidence

    async def _evidence(self, session_id: str) -> Evidence:
        evidence: Any = await Evidence.gather(self.stack, session_id, self.options.folder)
        evidence.path.unlink()
        assert isinstance(evidence, Evidence)
        return evidence
