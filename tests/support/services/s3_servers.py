"""Real S3 servers of others, which check signatures, each over a folder, on loopback."""

import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from parley.servers.free_ports import free_ports

ACCESS_KEY, SECRET_KEY = "someone", "something-of-some-length"

_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class S3Server:
    """One that can be had from the registries.

    Attributes:
        name: of its program, on PATH or in a variable of that name in capitals.
        module: what `go install` makes the program of.
        version: in words, for tables.
        health: path that answers once it serves.
        variables: its names for an access key and its secret.
        arguments: by address and folder; the folders in that folder are the buckets.
    """

    name: str
    module: str
    version: str
    health: str
    variables: tuple[str, str]
    arguments: Callable[[str, Path], list[str]]


VERSITYGW = S3Server(
    name="versitygw",
    module="github.com/versity/versitygw/cmd/versitygw@v1.8.0",
    version="1.8.0",
    health="/health",
    variables=("ROOT_ACCESS_KEY", "ROOT_SECRET_KEY"),
    arguments=lambda address, folder: [
        *("--port", address, "--health", "/health", "--quiet", "posix", str(folder)),
    ],
)
MINIO = S3Server(
    name="minio",
    module="github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
    version="of 2026-02-12 (7aac2a2c5b7c)",
    health="/minio/health/live",
    variables=("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
    arguments=lambda address, folder: ["server", "--address", address, "--quiet", str(folder)],
)


@contextmanager
def s3_server(server: S3Server, folder: Path) -> Iterator[str]:
    """Serve `folder`; yields `http://127.0.0.1:port`. Skips the test where the program is missing."""
    program = os.environ.get(server.name.upper()) or shutil.which(server.name)
    if program is None:
        pytest.skip(f"NO {server.name}: `go install {server.module}`, and put it on PATH or into {server.name.upper()}")
    address = f"127.0.0.1:{free_ports(1)[0]}"
    environment = {**os.environ, **dict(zip(server.variables, (ACCESS_KEY, SECRET_KEY), strict=True))}
    argv = [program, *server.arguments(address, folder)]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(f"http://{address}{server.health}")
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(10)


def _wait(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
