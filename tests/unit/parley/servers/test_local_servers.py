"""What stays the same from one `parley dev` to the next in a folder, and that there is one at a time."""

import fcntl
import json
import socket
import sys
from pathlib import Path

import pytest

from parley.command_error import CommandError
from parley.servers.free_ports import free_ports
from parley.servers.livekit_server import LiveKitServer
from parley.servers.local_stack import LocalStack

PYTHON = Path(sys.executable)


def test_keys_and_port_of_the_last_time_are_taken_again(tmp_path: Path) -> None:
    """What somebody exported in another terminal goes on working."""
    (port,) = free_ports(1)
    (tmp_path / "livekit.yaml").write_text(json.dumps({"port": port, "keys": {"APIone": "of the last time"}}))
    again = LiveKitServer.resumed(PYTHON, tmp_path)
    assert (again.api_key, again.api_secret, again.url) == ("APIone", "of the last time", f"ws://127.0.0.1:{port}")
    with socket.create_server(("127.0.0.1", port)):
        elsewhere = LiveKitServer.resumed(PYTHON, tmp_path)
    assert (elsewhere.api_key, elsewhere.url) == ("APIone", "ws://127.0.0.1:0")  # it chooses when it starts


@pytest.mark.parametrize("known", ["", "{}", '{"port": "x", "keys": {"a": "b"}}', '{"port": 1, "keys": {}}', "[]"])
def test_a_folder_that_knows_nothing_gets_fresh_ones(tmp_path: Path, known: str) -> None:
    """A configuration that was cut short is none."""
    (tmp_path / "livekit.yaml").write_text(known)
    assert LiveKitServer.resumed(PYTHON, tmp_path).url == "ws://127.0.0.1:0"


def test_a_folder_has_one_stack_at_a_time(tmp_path: Path) -> None:
    """The second one says so before it starts anything, and touches no log of the first."""
    with (tmp_path / "stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = LocalStack(tmp_path, {}, livekit_binary=PYTHON, logs=tmp_path / "logs", progress=print)
        with pytest.raises(CommandError, match=f"Parley runs in {tmp_path} already"), second:
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["stack.lock"]
