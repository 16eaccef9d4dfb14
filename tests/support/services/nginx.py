"""nginx in front of an API, below a path; Debian's package `nginx`."""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_START_SECONDS = 20.0
# The location is the one of docs/operations/deploy.md.
_CONFIG = """
{user}
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
{location}
    }}
}}
"""


def nginx_program() -> str:
    """Where nginx is; a missing one fails in CI and skips loudly elsewhere."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            raise FileNotFoundError("nginx")
        pytest.skip("NO NGINX: apt install nginx")
    return program


def nginx_version() -> str:
    """As it says itself."""
    said = subprocess.run([nginx_program(), "-v"], capture_output=True, text=True, check=True, timeout=10).stderr
    return said.strip().rpartition("/")[2]


@contextmanager
def nginx(folder: Path, *, port: int, location: str) -> Iterator[None]:
    """It listens at `127.0.0.1:port` and does what `location`, a block of its configuration, says."""
    program = nginx_program()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nginx.conf"
    user = "user root;" if os.getuid() == 0 else ""
    config.write_text(_CONFIG.format(user=user, folder=folder, port=port, location=location))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(config), "-p", str(folder)], stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/", folder / "log")
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
