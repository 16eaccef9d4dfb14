"""`python -m tools.clients`: each maker makes a client from the OpenAPI document, and it is compiled."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from control_api.http.openapi.document import openapi_document, render
from control_api.operations import OPERATIONS
from tools.clients.makers import MAKERS, Maker

FOLDER = Path(".clients").absolute()
STEP_SECONDS = 600  # one command; the first run fetches what the maker needs


def make(maker: Maker) -> str | None:
    """What went wrong, if anything did."""
    missing = [program for program in maker.needs if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} is missing"
    folder = FOLDER / maker.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for step in maker.steps:
        try:
            done = subprocess.run(
                step, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=STEP_SECONDS
            )
        except subprocess.TimeoutExpired:
            return f"{' '.join(step)[:100]} took more than {STEP_SECONDS} s"
        if done.returncode:
            return f"{' '.join(step)[:100]} ended with {done.returncode}:\n{done.stdout[-3000:]}"
    return None


def main() -> int:
    """Prints a line a maker; 1 when one failed. Arguments name some of them."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "openapi.json").write_bytes(render(openapi_document(OPERATIONS)))
    failures = 0
    for maker in MAKERS:
        if sys.argv[1:] and maker.name not in sys.argv[1:]:
            continue
        started = time.monotonic()
        trouble = make(maker)
        failures += trouble is not None
        print(f"{maker.name:28}{trouble or 'made and compiled'} ({time.monotonic() - started:.0f} s)", flush=True)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
