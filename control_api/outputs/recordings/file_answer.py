"""Serves a local file: aiohttp's FileResponse, which is told the range instead of reading the request's.

By itself it answers several ranges and unknown units with a 416 that has no body, HEAD with 206, and a range whose
If-Range names another file with a part of this one (measured with aiohttp 3.14).
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict

from control_api.outputs.recordings.asked_range import asked_range, known_to_client

_CHUNK_BYTES = 1 << 18


class FileAnswer(web.FileResponse):
    """The file, or the part of it."""

    def __init__(self, path: Path, part: tuple[int, int] | None, headers: Mapping[str, str]) -> None:
        super().__init__(path, chunk_size=_CHUNK_BYTES, headers=headers)
        self._part = part

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """As if the request had asked for just that part."""
        headers = CIMultiDict(request.headers)
        headers.popall(hdrs.RANGE, None)
        headers.popall(hdrs.IF_RANGE, None)
        if self._part is not None:
            start, end = self._part
            headers[hdrs.RANGE] = f"bytes={start}-{end - 1}"
        return await super().prepare(request.clone(headers=headers))


def file_answer(request: web.Request, path: Path, headers: Mapping[str, str]) -> FileAnswer:
    """The answer to a request for the file at `path`.

    Raises:
        RefusedRequestError: `range.invalid`.
    """
    facts = path.stat()
    etag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'  # as FileResponse has it
    modified = datetime.fromtimestamp(math.ceil(facts.st_mtime), UTC)  # as its Last-Modified
    part = None
    if not known_to_client(request, etag):
        part = asked_range(request, size=facts.st_size, etag=etag, modified=modified)
    return FileAnswer(path, part, headers)
