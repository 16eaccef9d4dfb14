"""Object storages: a local folder, and S3 (moto on loopback)."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.objects.objects import Objects


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """An S3 server on loopback with one bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/bucket", method="PUT")).close()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Objects:
    """A prefix of the test's own, found by the standard variables."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return Objects.open(f"s3://bucket/parley/{abs(hash(request.node.nodeid))}")


@pytest.fixture
def local(tmp_path: Path) -> Objects:
    """A folder that doesn't exist yet."""
    return Objects.open((tmp_path / "data" / "objects with spaces").as_uri())


@pytest.fixture(params=["local", "s3"])
def objects(request: pytest.FixtureRequest) -> Objects:
    """Each kind in turn."""
    storage: Objects = request.getfixturevalue(request.param)
    return storage
