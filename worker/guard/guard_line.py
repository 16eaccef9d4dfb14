"""What a recorder process asks the guard: to end connections that it does not want any more, and what came over others.

Only so a join can be ended: it must not be canceled (`worker.joining.joins`), and the SDK makes four attempts.
"""

import asyncio
import base64

import structlog

from sessions.destinations.room_url import AllowedAddresses, parse_room_url
from worker.guard.request_head import SPANS, Ask
from worker.guard.spans import Spans
from worker.guard.traffic import Traffic, read
from worker.guard.upstream import GUARD_HOST

_log = structlog.get_logger(__name__)

_ANSWER_SECONDS = 2.0
_MOST_BYTES = 1 << 20


class GuardLine:
    """The guard's port on loopback, and as whom this process goes through it (`go_through`)."""

    def __init__(self, port: int, owner: str) -> None:
        self._port = port
        self._credentials = base64.b64encode(f"{owner}:-".encode()).decode()

    async def cut(self, target: str, spans: Spans | None = None) -> None:
        """End this process's connections to `host:port` (`target_of`): those within `spans`, or all of them, and then
        others are refused it for some seconds."""
        await self._ask(Ask.CUT, target, spans)

    async def count(self, target: str) -> list[Traffic]:
        """What has come over this process's connections to there, oldest first; none if the guard does not answer."""
        try:
            return read((await self._ask(Ask.COUNT, target, None)).partition(b"\r\n\r\n")[2])
        except ValueError:
            return []

    async def _ask(self, ask: Ask, target: str, spans: Spans | None) -> bytes:
        lines = [f"{ask} {target} HTTP/1.1", f"Proxy-Authorization: Basic {self._credentials}"]
        if spans is not None:
            lines.append(f"{SPANS}: {spans.text()}")
        answer = b""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(GUARD_HOST, self._port)
                writer.write("\r\n".join([*lines, "", ""]).encode())
                while len(answer) < _MOST_BYTES and (data := await reader.read(_MOST_BYTES)):
                    answer += data
                writer.close()
        except (OSError, TimeoutError):
            _log.warning("guard.silent", target=target)
        return answer


def target_of(url: str) -> str:
    """`host:port` of a room's URL, as the guard names it."""
    room_url = parse_room_url(url, AllowedAddresses(everything=True))
    host = room_url.host.lower()
    return f"[{host}]:{room_url.port}" if ":" in host else f"{host}:{room_url.port}"
