"""What clients call this API: every link of ours begins here, absolute or not.

`PARLEY_PUBLIC_URL` may have a path, where a proxy takes it away before it asks us (nginx: `location /parley/`).
"""

from urllib.parse import urlsplit

from aiohttp import hdrs, web


class PublicAddress:
    """The base of links.

    Args:
        public_url: `PARLEY_PUBLIC_URL`, or None.
        base_url: `http://host:port` that the API listens at: of links where there is no public URL.
    """

    def __init__(self, public_url: str | None, base_url: str) -> None:
        self._base = (public_url or base_url).rstrip("/")
        self._prefix = urlsplit(self._base).path
        self.server = self._base if public_url else "/"  # as the OpenAPI document names it

    def url(self, path: str) -> str:
        """The absolute URL of a path of this API."""
        return self._base + path

    def path(self, path: str) -> str:
        """The path under which clients reach a path of this API; it keeps their scheme and host."""
        return self._prefix + path

    def made(self, path: str) -> dict[str, str]:
        """The Location header of an answer that something was made at a path of this API."""
        return location(self.path(path))


def location(link: str) -> dict[str, str]:
    """The Location header, with a finished link."""
    return {hdrs.LOCATION: link}


PUBLIC_ADDRESS = web.AppKey("public_address", PublicAddress)
