"""What a recorder process tells the guard: that its joins to some server are not wanted any more.

Only so a join can be ended: it must not be canceled (`worker.joining.joins`), and the SDK makes four attempts.
"""

import asyncio
import base64

import structlog

from sessions.rooms.room_url import AllowedAddresses, parse_room_url
from worker.guard.request_head import CUT
from worker.guard.upstream import GUARD_HOST

_log = structlog.get_logger(__name__)

_ANSWER_SECONDS = 2.0
_MOST_BYTES = 1024


class GuardLine:
    """The guard's port on loopback, and as whom this process goes through it (`go_through`)."""

    def __init__(self, port: int, owner: str) -> None:
        self._port = port
        self._credentials = base64.b64encode(f"{owner}:-".encode()).decode()

    async def cut(self, target: str) -> None:
        """End this process's connections to `host:port` (`target_of`), and refuse it others for some seconds."""
        request = f"{CUT} {target} HTTP/1.1\r\nProxy-Authorization: Basic {self._credentials}\r\n\r\n"
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(GUARD_HOST, self._port)
                writer.write(request.encode())
                await reader.read(_MOST_BYTES)
                writer.close()
        except (OSError, TimeoutError):
            _log.warning("guard.silent", target=target)


def target_of(url: str) -> str:
    """`host:port` of a room's URL, as the guard names it."""
    room_url = parse_room_url(url, AllowedAddresses(everything=True))
    host = room_url.host.lower()
    return f"[{host}]:{room_url.port}" if ":" in host else f"{host}:{room_url.port}"
