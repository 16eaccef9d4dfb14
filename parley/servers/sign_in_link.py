"""A link on loopback that signs a browser in, once: it leads to a page and hands over what the page needs.

What it hands over is in the fragment of where it leads to: browsers send that to no server, and the page takes it out
of the address. A link that was used answers no more, and `used` is told the next one.
"""

import http.server
import secrets
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

_SECRET_BYTES = 16
_GONE = b"This link was used. The terminal shows the next one."


class SignInLink:
    """Entered: `url` works, in a thread.

    Args:
        page: URL of the page.
        handed_over: what goes into the fragment.
        used: called with the next link when one was used, from that thread.
    """

    def __init__(self, page: str, handed_over: Mapping[str, str], used: Callable[[str], None]) -> None:
        self._target = f"{page}#hand-over&{urlencode(handed_over)}"
        self._used = used
        self._server = http.server.HTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="sign-in link", daemon=True)
        self._path = self._new_path()

    @property
    def url(self) -> str:
        """The link that works now."""
        return f"http://127.0.0.1:{self._server.server_port}{self._path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @staticmethod
    def _new_path() -> str:
        return f"/{secrets.token_urlsafe(_SECRET_BYTES)}"

    def _take(self, path: str) -> str | None:
        """Where the path leads to; it leads there once."""
        if not secrets.compare_digest(path.encode(), self._path.encode()):
            return None
        self._path = self._new_path()
        self._used(self.url)
        return self._target

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        take = self._take

        class Handler(http.server.BaseHTTPRequestHandler):
            """Only GET; says nothing of requests, as their paths are secret."""

            timeout = 5.0

            def do_GET(self) -> None:
                target = take(self.path)
                self.send_response(404 if target is None else 303)
                if target is not None:
                    self.send_header("Location", target)
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Length", str(len(_GONE)))
                self.end_headers()
                self.wfile.write(_GONE)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        return Handler
