"""A browser without a window: Debian's package `chromium`. What its pages find out they post to the test."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_STOP_SECONDS = 10.0
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # CI is root, in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)


def chromium_program() -> str:
    """Where Chromium is; a missing one fails in CI and skips loudly elsewhere."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("CI"):
            raise FileNotFoundError("chromium")
        pytest.skip("NO CHROMIUM: apt install chromium")
    return program


def chromium_version() -> str:
    """As it says itself, without its name."""
    command = [chromium_program(), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_STOP_SECONDS).stdout
    return next(word for word in said.split() if word[0].isdigit())


@contextmanager
def browsing(url: str, folder: Path) -> Iterator[None]:
    """The page `url` is open until the block is left; `folder` is for the browser's profile and log."""
    folder.mkdir(parents=True)
    command = [chromium_program(), *OPTIONS, f"--user-data-dir={folder / 'profile'}", url]
    environment = {**os.environ, "HOME": str(folder)}
    with (
        open(folder / "log", "wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
