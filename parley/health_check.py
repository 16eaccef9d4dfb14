"""`python -m parley.health_check`: exits with 0 when the API or the worker in this container answers /healthz.

The image's health check. It imports nothing of ours, so that it costs little every ten seconds, and reads the settings'
variables itself.
"""

import os
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress

_SECONDS = 3.0
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}


def health_urls(environment: Mapping[str, str]) -> list[str]:
    """Where they listen; ports that are service links of Kubernetes, or 0, are left out."""

    def values(name: str) -> list[str]:
        return [environment.get(prefix + name, "").strip() for prefix in ("PARLEY_", "PARLEY_DEFAULT_")]

    host = next(filter(None, values("API_HOST")), "")
    address = _EVERYWHERE.get(host, f"[{host}]" if ":" in host else host)
    ports = [next((value for value in values(name) if value.isdecimal()), "0") for name in ("API_PORT", "WORKER_PORT")]
    return [f"http://{address}:{port}/healthz" for port in dict.fromkeys(ports) if int(port)]


def main() -> int:
    """0 when one of them answers with 200."""
    for url in health_urls(os.environ):
        with suppress(OSError), urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            if answer.status == 200:
                return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
