"""`parley demo talkers`: the demo's two talkers in any room, so that there is somebody to record."""

import argparse
import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from parley.command_error import CommandError
from parley.demo.script import TALKERS
from parley.demo.talkers import joined_talkers
from parley.installation.livekit_access import asked_key, asked_url
from parley.installation.worker_tokens import participant_token

_LATE_SECONDS = 10


def run_talkers(arguments: argparse.Namespace) -> int:
    """Let them talk, and leave.

    Raises:
        CommandError: it isn't said where the room is or with which key one gets in, or they could not join or stay.
    """
    url, room = asked_url(arguments), arguments.room
    found = asked_key(arguments)
    if found is None:
        raise CommandError(
            "the talkers need tokens for the room: give LIVEKIT_API_KEY and LIVEKIT_API_SECRET "
            "(or --livekit-key and --livekit-secret-file) to mint them",
            exit_code=2,
        )
    key, secret = found
    tokens = {who: participant_token(key, secret, room, who, who.title()) for who in TALKERS}
    return asyncio.run(_talk(url, room, tokens, arguments.seconds))


async def _talk(url: str, room: str, tokens: Mapping[str, str], seconds: int) -> int:
    who = " and ".join(TALKERS)
    async with AsyncExitStack() as stack:
        try:
            joined = joined_talkers(url, tokens, Path(os.devnull), seconds=seconds)
            talkers = await stack.enter_async_context(joined)
        except CommandError:
            raise CommandError(
                f"{who} could not join the room {room!r}: is {url} a LiveKit server, and the key one of its own?"
            ) from None
        await talkers.talk()
        print(f"{who} talk in the room {room!r} for {seconds} s", flush=True)
        await talkers.finished(seconds + _LATE_SECONDS)
    print("they have left")
    return 0
