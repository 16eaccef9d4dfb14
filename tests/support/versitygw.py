"""A real S3 server of others, which checks signatures: versitygw, over a folder, on loopback."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
ACCESS_KEY, SECRET_KEY = "someone", "something-of-some-length"

_START_SECONDS = 20.0


@contextmanager
def versitygw(folder: Path) -> Iterator[str]:
    """Serve `folder`, whose folders are the buckets; yields `http://127.0.0.1:port`. Skips the test without it."""
    program = os.environ.get("VERSITYGW") or shutil.which("versitygw")
    if program is None:
        pytest.skip(f"NO versitygw: `go install {PROGRAM}`, and put it on PATH or into VERSITYGW")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    argv = [program, "--port", f"127.0.0.1:{port}", "--health", "/health", "--quiet", "posix", str(folder)]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


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
