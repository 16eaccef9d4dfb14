"""How a livekit-server of our own runs."""

import os
import signal
import socket
import stat
import threading
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from livekit import api, rtc

from parley.servers import livekit_server
from parley.servers.free_ports import free_ports
from parley.servers.livekit_program import LiveKitServerError
from parley.servers.livekit_server import LiveKitServer
from tests.integration.parley.servers.process_probes import Scripts, is_running, wait_until

PARENT = """
import sys, time
from pathlib import Path
from parley.servers.livekit_server import LiveKitServer
server = LiveKitServer(Path(sys.argv[1]), Path(sys.argv[2]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


def answers(server: LiveKitServer) -> bool:
    try:
        with urllib.request.urlopen(server.url.replace("ws", "http", 1), timeout=1) as response:
            return int(response.status) == 200
    except OSError:
        return False


def grant(server: LiveKitServer, identity: str) -> str:
    grants = api.VideoGrants(room_join=True, room="room")
    return api.AccessToken(server.api_key, server.api_secret).with_identity(identity).with_grants(grants).to_jwt()


async def test_started_server_accepts_its_keys(livekit_program: Path, tmp_path: Path) -> None:
    """Ready means ready: the first call after start() works."""
    with LiveKitServer(livekit_program, tmp_path / "lk") as server:
        async with api.LiveKitAPI(server.url, server.api_key, server.api_secret) as client:
            assert list((await client.room.list_rooms(api.ListRoomsRequest())).rooms) == []


async def test_audio_flows_and_stop_does_not_wait_for_participants(livekit_program: Path, tmp_path: Path) -> None:
    """One talker, one listener, media over loopback; then the server stops although both are there."""
    with LiveKitServer(livekit_program, tmp_path) as server:
        talker, listener = rtc.Room(), rtc.Room()
        heard: list[rtc.RemoteAudioTrack] = []
        listener.on("track_subscribed", lambda track, *_: heard.append(track))
        await listener.connect(server.url, grant(server, "listener"))
        await talker.connect(server.url, grant(server, "talker"))
        source = rtc.AudioSource(48000, 1)
        await talker.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("voice", source))
        tone = rtc.AudioFrame(b"\x10\x27\xf0\xd8" * 2400, 48000, 1, 4800)
        deadline = time.monotonic() + 15
        while not heard and time.monotonic() < deadline:
            await source.capture_frame(tone)
        stream = rtc.AudioStream(heard[0])
        await source.capture_frame(tone)
        async for event in stream:
            if any(event.frame.data):
                break
            await source.capture_frame(tone)
            assert time.monotonic() < deadline
        before = time.monotonic()
        server.stop()
        assert time.monotonic() - before < 6
        await stream.aclose()
        await source.aclose()
        await talker.disconnect()
        await listener.disconnect()


def test_nothing_listens_beyond_loopback_and_the_secret_is_private(livekit_program: Path, tmp_path: Path) -> None:
    """Generated keys of a length that PyJWT likes, in a file for our eyes only."""
    with LiveKitServer(livekit_program, tmp_path) as server:
        assert server.pid is not None
        addresses = {address.laddr.ip for address in psutil.Process(server.pid).net_connections()}
        assert addresses == {"127.0.0.1"}
        assert len(server.api_secret) >= 32
        assert server.api_secret not in " ".join(psutil.Process(server.pid).cmdline())
        assert stat.S_IMODE((tmp_path / "livekit.yaml").stat().st_mode) == 0o600
        assert server.api_secret not in server.log.read_text()


def test_server_dies_with_a_killed_parent(livekit_program: Path, tmp_path: Path, scripts: Scripts) -> None:
    """kill -9 of the process that started it leaves nothing."""
    parent = scripts.start(PARENT, livekit_program, tmp_path)
    pid = int(scripts.line(parent))
    assert is_running(pid)
    parent.kill()
    wait_until(lambda: not is_running(pid), "the server dies")


def test_server_outlives_the_thread_that_started_it(livekit_program: Path, tmp_path: Path) -> None:
    """asyncio.to_thread is a fine place to start it from."""
    server = LiveKitServer(livekit_program, tmp_path)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    assert answers(server)
    server.stop()


def test_restart_after_a_crash_keeps_port_and_keys(livekit_program: Path, tmp_path: Path) -> None:
    """Clients that reconnect find the same server."""
    with LiveKitServer(livekit_program, tmp_path) as server:
        before = (server.url, server.api_key, server.api_secret, server.pid)
        server.kill()
        assert not answers(server)
        server.start()
        assert answers(server)
        after = (server.url, server.api_key, server.api_secret, server.pid)
        assert after[:3] == before[:3]
        assert after[3] != before[3]


def test_start_of_a_running_server_is_harmless(livekit_program: Path, tmp_path: Path) -> None:
    """The same process goes on."""
    with LiveKitServer(livekit_program, tmp_path) as server:
        before = server.pid
        server.start()
        assert server.pid == before


def test_paused_server_is_silent_and_resumes(livekit_program: Path, tmp_path: Path) -> None:
    """A frozen server keeps its connections and answers nothing; it can be stopped too."""
    with LiveKitServer(livekit_program, tmp_path) as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        wait_until(lambda: not answers(server), "the server falls silent")
        os.kill(server.pid, signal.SIGCONT)
        wait_until(lambda: answers(server), "the server answers again")
        os.kill(server.pid, signal.SIGSTOP)


def test_port_that_was_taken_meanwhile_is_replaced(
    livekit_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between choosing a port and binding it another process may be quicker."""
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        taken = squatter.getsockname()[1]
        choices = iter([[taken, *free_ports(1)], free_ports(2)])
        monkeypatch.setattr(livekit_server, "free_ports", lambda _: next(choices))
        with LiveKitServer(livekit_program, tmp_path) as server:
            assert answers(server)
            assert server.url != f"ws://127.0.0.1:{taken}"


def test_other_server_on_the_port_is_not_taken_for_ours(livekit_program: Path, tmp_path: Path) -> None:
    """Another LiveKit answers there, but not to our keys."""
    with LiveKitServer(livekit_program, tmp_path / "other") as other:
        server = LiveKitServer(livekit_program, tmp_path / "ours", port=int(other.url.rpartition(":")[2]))
        with pytest.raises(LiveKitServerError):
            server.start()
        assert answers(other)


def test_given_port_that_is_taken_is_an_error(livekit_program: Path, tmp_path: Path) -> None:
    """The log is named, and nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        server = LiveKitServer(livekit_program, tmp_path, port=squatter.getsockname()[1])
        with pytest.raises(LiveKitServerError, match=r"livekit\.log"):
            server.start()
    assert server.pid is None


def test_free_ports_differ_and_lie_below_the_range_of_outgoing_connections() -> None:
    """A dial into that range can connect to itself while the server is away."""
    ports = free_ports(20)
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert len(set(ports)) == 20
    assert max(ports) < first_outgoing


def test_killed_server_is_noticed_by_start(livekit_program: Path, tmp_path: Path) -> None:
    """A server that somebody else killed is started again."""
    with LiveKitServer(livekit_program, tmp_path) as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not answers(server), "the server is gone")
        server.start()
        assert answers(server)
