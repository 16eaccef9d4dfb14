"""Tells whoever started a server with port 0 where it listens."""

import os
from pathlib import Path


def write_url(url: str, url_file: Path | None) -> None:
    """Write the base URL to `url_file`, whole or not at all; no-op without one."""
    if url_file is not None:
        partial = url_file.with_name(f"{url_file.name}.{os.getpid()}")
        partial.write_text(url + "\n")
        partial.replace(url_file)
