"""Serves an object of a remote storage: for clients who reach the API and not the storage.

It is read a few MiB at a time, each with a request of its own, so that a slow client is bound by no timeout of the
storage's and a large object by no memory of ours.
"""

from collections.abc import Mapping

import structlog
from aiohttp import hdrs, web

from control_api.outputs.recordings.asked_range import asked_range, http_date, known_to_client
from sessions.errors import ParleyError
from store.objects.errors import ObjectMissing, StorageError
from store.objects.objects import Objects

_BLOCK_BYTES = 4 << 20

_log = structlog.get_logger(__name__)


async def stream_object(
    request: web.Request, objects: Objects, key: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """The object `key`, or the range that is asked for: 200, 206 or 304.

    Raises:
        ParleyError: `not_found`; `range.invalid`; `storage.unavailable`.
    """
    try:
        facts = await objects.facts(key)
    except ObjectMissing:
        raise ParleyError("not_found", "the object is gone") from None
    validators: dict[str, str] = {hdrs.LAST_MODIFIED: http_date(facts.modified), hdrs.ACCEPT_RANGES: "bytes"}
    if facts.etag is not None:
        validators[hdrs.ETAG] = facts.etag
    if known_to_client(request, facts.etag):
        return web.Response(status=304, headers=validators)
    start, end = 0, facts.size
    response = web.StreamResponse(headers={**headers, **validators})
    if (wanted := asked_range(request, size=facts.size, etag=facts.etag, modified=facts.modified)) is not None:
        start, end = wanted
        response.set_status(206)
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{end - 1}/{facts.size}"
    response.content_length = end - start
    if request.method == hdrs.METH_HEAD:
        await response.prepare(request)
        return response
    block = await objects.read_range(key, start, min(end, start + _BLOCK_BYTES))  # before anything is promised
    await response.prepare(request)
    while block:
        await response.write(block)
        start += len(block)
        try:
            block = await objects.read_range(key, start, min(end, start + _BLOCK_BYTES))
        except StorageError as error:
            _log.warning("object.broken_off", code=error.code, cause=error.trouble)
            break
    if start < end and request.transport is not None:  # shorter than its Content-Length: the client has to notice
        request.transport.abort()
    return response
