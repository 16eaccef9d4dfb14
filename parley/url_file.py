"""Tells where a server listens: in the log, and in a file for whoever started it with port 0."""

import os
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)


def announce(name: str, url: str, url_file: Path | None) -> None:
    """Log the base URL and write it to `url_file`, whole or not at all."""
    _log.info("listening", server=name, url=url)
    if url_file is not None:
        partial = url_file.with_name(f"{url_file.name}.{os.getpid()}")
        partial.write_text(url + "\n")
        partial.replace(url_file)
