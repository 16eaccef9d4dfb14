"""A stack on this machine, and a room of it in which somebody speaks while a program records a session of it."""

import asyncio
import os
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import soundfile

from parley.demo.script import TALKERS
from parley.demo.talkers import joined_talkers
from parley.installation.secrets import new_master_key
from parley.installation.worker_tokens import participant_token, recorder_token
from parley.servers.local_stack import LocalStack

SECONDS = 3.0
"""How long a program lets a session run, counted from when it hears that it does."""

_PROGRAM_SECONDS = 120.0
_HEARD = 0.01  # of full scale; speech of the demo reaches 0.5, an empty room is 0
_SETTINGS = {
    "PARLEY_API_PORT": "0",
    "PARLEY_WORKER_PORT": "0",
    "PARLEY_ALLOW_PRIVATE_HOSTS": "true",
    "PARLEY_PROCESSES": "1",
    "PARLEY_SPEECH_ENGINE": "none",
    "PARLEY_GRACE_SECONDS": "0",
}


class NotRecordedError(Exception):
    """A program did not record what was spoken."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a program is told: `PARLEY_URL`, `PARLEY_KEY`, `LIVEKIT_URL`, `ROOM`, `WORKER_TOKEN`, `SECONDS`, and `OUT`,
    the file that it has to write the recording to.
    """

    stack: LocalStack
    key: str

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["Scene"]:
        """PostgreSQL, LiveKit, an API and a worker, whose logs and data are in `folder`."""
        key = new_master_key().get_secret_value()
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
        environment = {**theirs, **_SETTINGS, "PARLEY_MASTER_KEY": key}
        with LocalStack(folder, environment, livekit_binary=None, logs=folder / "logs", progress=print) as stack:
            yield cls(stack, key)

    async def record(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float:
        """Run a program in `folder`; how many seconds it recorded.

        Raises:
            NotRecordedError: it failed, or what it wrote is no recording of what was spoken.
        """
        livekit, room = self.stack.livekit, f"clients-{secrets.token_hex(4)}"
        tokens = {who: participant_token(livekit.api_key, livekit.api_secret, room, who) for who in TALKERS}
        out = folder / "conversation.wav"
        told = {
            "PARLEY_URL": self.stack.api_url,
            "PARLEY_KEY": self.key,
            "LIVEKIT_URL": livekit.url,
            "ROOM": room,
            "WORKER_TOKEN": recorder_token(livekit.api_key, livekit.api_secret, room),
            "SECONDS": str(SECONDS),
            "OUT": str(out),
        }
        async with joined_talkers(livekit.url, tokens, folder / "talkers.log") as talkers:
            await talkers.talk()
            await run(command, folder, {**environment, **told})
        return length_seconds(out)


async def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a program to its end.

    Raises:
        NotRecordedError: it failed, or takes more than two minutes.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_PROGRAM_SECONDS):
            said, _ = await process.communicate()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise NotRecordedError(f"{command[0]} took more than {_PROGRAM_SECONDS:.0f} s") from None
    if process.returncode:
        last = said.decode(errors="replace")[-3000:]
        raise NotRecordedError(f"{command[0]} ended with {process.returncode}:\n{last}")


def length_seconds(recording: Path) -> float:
    """Of a recording in which somebody is heard.

    Raises:
        NotRecordedError: it does not open, is shorter than `SECONDS`, or silent.
    """
    try:
        samples, rate = soundfile.read(recording)
    except (OSError, soundfile.LibsndfileError) as error:
        raise NotRecordedError(f"{recording} does not open: {error}") from error
    if len(samples) < SECONDS * rate:
        raise NotRecordedError(f"{recording} has {len(samples) / rate:.3f} s of more than {SECONDS:.3f}")
    if abs(samples).max() < _HEARD:
        raise NotRecordedError(f"nobody is heard in {recording}")
    return float(len(samples) / rate)
