"""Links to stored objects that work without a key for about an hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from aiohttp import web

from control_api.http.answers.public_address import PublicAddress
from sessions.errors import ParleyError
from store.access.vault import LinkSigner
from store.database.clock import DatabaseClock
from store.objects.objects import Objects

LINK_SECONDS = 3600
OBJECTS_PATH = "/v1/objects/"


@dataclass(frozen=True, slots=True)
class Link:
    """An absolute URL and the end of its life."""

    url: str
    expires_at: datetime


class ObjectLinks:
    """Makes links: the storage's own where it signs (S3), else to `GET /v1/objects/{key}` of this API.

    Args:
        address: what clients call this API.
        clock: by which links expire, whichever host made them.
        through_api: make all of them links to this API.
    """

    def __init__(
        self,
        objects: Objects,
        signer: LinkSigner,
        address: PublicAddress,
        clock: DatabaseClock,
        *,
        through_api: bool = False,
    ) -> None:
        self._through_api = through_api
        self._objects = objects
        self._signer = signer
        self._address = address
        self._clock = clock

    async def link(self, key: str, file_name: str) -> Link:
        """A link to the object `key` (not checked to exist), which is to be saved under that name.

        A storage that signs links itself says the name that the object was stored with.

        Raises:
            DatabaseError: nothing is known of the time.
        """
        expires_at = (await self._clock.now() + timedelta(seconds=LINK_SECONDS)).replace(microsecond=0)
        if not self._through_api and (url := await self._objects.signed_url(key, LINK_SECONDS)) is not None:
            return Link(url, expires_at)
        path = OBJECTS_PATH + quote(key)
        signature = self._signer.sign(_signed(key, file_name), expires_at)
        query = f"expires={int(expires_at.timestamp())}&signature={signature}&name={quote(file_name, safe='')}"
        return Link(self._address.url(f"{path}?{query}"), expires_at)

    async def check(self, key: str, expires: str, signature: str, file_name: str) -> None:
        """Let the link to `key` pass if this installation signed it and it has not expired.

        Raises:
            ParleyError: `audio.link_invalid`.
            DatabaseError: nothing is known of the time.
        """
        if not (
            expires.isascii()
            and expires.isdigit()
            and len(expires) <= 12
            and not expires.startswith("0")  # one link, one spelling
            and self._signer.verify(_signed(key, file_name), int(expires), signature, await self._clock.now())
        ):
            raise ParleyError("audio.link_invalid", "the signed link is wrong or has expired")


def _signed(key: str, file_name: str) -> str:
    """What the signature is of: whoever has a link to one object can neither read another nor rename it."""
    return f"{OBJECTS_PATH}{quote(key)}?name={quote(file_name, safe='')}"


LINKS = web.AppKey("links", ObjectLinks)
