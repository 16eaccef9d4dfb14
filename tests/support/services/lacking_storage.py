"""An S3 on loopback that lacks what a flag names: moto behind a gate of ours, which answers as such storages do."""

import re
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from werkzeug.serving import WSGIRequestHandler, make_server

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def _header(name: str) -> Callable[[Environ], bool]:
    return lambda request: f"HTTP_{name}" in request


def _asks(method: str, parameter: str) -> Callable[[Environ], bool]:
    """A request of S3 that has this parameter (`?delete`, `?uploads`, `?list-type=2`)."""

    def found(request: Environ) -> bool:
        names = [pair.partition("=")[0] for pair in request["QUERY_STRING"].split("&")]
        return bool(request["REQUEST_METHOD"] == method) and parameter in names

    return found


def _method(name: str) -> Callable[[Environ], bool]:
    return lambda request: bool(request["REQUEST_METHOD"] == name)


_CREDENTIAL = re.compile(r"Credential=([^/]+)/")
_NOT_IMPLEMENTED = (501, "NotImplemented")
_NOT_ALLOWED = (405, "MethodNotAllowed")

# What is refused, and how.
LACKS: dict[str, tuple[Callable[[Environ], bool], tuple[int, str]]] = {
    "bulk_delete": (_asks("POST", "delete"), _NOT_IMPLEMENTED),  # Google's S3 face
    "bulk_delete_405": (_asks("POST", "delete"), _NOT_ALLOWED),
    "bulk_delete_400": (_asks("POST", "delete"), (400, "MissingArgument")),  # Alibaba's OSS, without Content-MD5
    "bulk_delete_404": (_asks("POST", "delete"), (404, "NoSuchKey")),
    "create_only": (_header("IF_NONE_MATCH"), _NOT_IMPLEMENTED),  # Google's S3 face, old Ceph
    "create_only_400": (_header("IF_NONE_MATCH"), (400, "InvalidArgument")),
    "multipart": (_asks("POST", "uploads"), _NOT_IMPLEMENTED),
    "ranged_read": (_header("RANGE"), _NOT_IMPLEMENTED),
    "list": (_asks("GET", "list-type"), _NOT_IMPLEMENTED),
    "delete": (_method("DELETE"), (403, "AccessDenied")),
    "rights": (lambda _: True, (403, "AccessDenied")),
    "key": (lambda _: True, (403, "InvalidAccessKeyId")),
    "key_404": (lambda _: True, (404, "XAdminUserNotFound")),  # versitygw
    "secret": (lambda _: True, (403, "SignatureDoesNotMatch")),
    "clock": (lambda _: True, (403, "RequestTimeTooSkewed")),
}


@dataclass
class LackingStorage:
    """What a test turns on and off, and what it looks at.

    Attributes:
        endpoint: `http://host:port`.
        bucket: of this storage alone.
        lacks: names of `LACKS`; and `create_only_ignored`, `deleting` (says yes and does nothing).
        requests: method and path with query of each request, in their order.
        keys: the access key that each of them was signed with.
    """

    endpoint: str
    bucket: str
    lacks: set[str] = field(default_factory=set)
    requests: list[tuple[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """As `PARLEY_STORAGE_URL` names it."""
        return f"s3://{self.bucket}/parley"

    @property
    def variables(self) -> dict[str, str]:
        """As AWS names the rest."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "something",
            "AWS_REGION": "us-east-1",
        }


@contextmanager
def lacking_storage(*lacks: str) -> Iterator[LackingStorage]:
    """A storage of this block's own."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    server = make_server(
        "127.0.0.1", 0, lambda request, start: gate(request, start), threaded=True, request_handler=_Quiet
    )
    storage = LackingStorage(f"http://127.0.0.1:{server.port}", f"bucket-{uuid4().hex}")
    moto = DomainDispatcherApplication(create_backend_app)

    def gate(request: Environ, start: StartResponse) -> Iterable[bytes]:
        query = request["QUERY_STRING"]
        storage.requests.append((request["REQUEST_METHOD"], request["PATH_INFO"] + (f"?{query}" if query else "")))
        if (signed := _CREDENTIAL.search(request.get("HTTP_AUTHORIZATION", ""))) is not None:
            storage.keys.append(signed[1])
        for name in sorted(storage.lacks & LACKS.keys()):
            lacking, answer = LACKS[name]
            if lacking(request):
                return _refuse(request, start, *answer)
        if "create_only_ignored" in storage.lacks:
            request.pop("HTTP_IF_NONE_MATCH", None)
        if "deleting" in storage.lacks and request["REQUEST_METHOD"] == "DELETE":
            start("204 No Content", [])
            return []
        passed: Iterable[bytes] = moto(request, start)
        return passed

    thread = threading.Thread(target=server.serve_forever, name="lacking storage", daemon=True)
    thread.start()
    try:
        bucket = urllib.request.Request(f"{storage.endpoint}/{storage.bucket}", method="PUT")
        urllib.request.urlopen(bucket, timeout=10).close()
        storage.requests.clear()
        storage.lacks.update(lacks)
        yield storage
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def _refuse(request: Environ, start: StartResponse, status: int, code: str) -> list[bytes]:
    request["wsgi.input"].read(int(request.get("CONTENT_LENGTH") or 0))
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    start(f"{status} No", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [] if request["REQUEST_METHOD"] == "HEAD" else [body]


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """A test's output is not a web server's log."""
