"""`python -m tools.clients`: each maker makes a client from the OpenAPI document; it is compiled and records a session.

Arguments name some of the makers.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from control_api.http.openapi.document import openapi_document, render
from control_api.operations import OPERATIONS, WEBHOOKS
from tools.clients.makers import MAKERS, PROGRAMS, Maker
from tools.clients.scene import NotRecordedError, Scene
from tools.compatibility import note

FOLDER = Path(".clients").absolute()
STEP_SECONDS = 600  # one command; the first run fetches what the maker needs


class NotMadeError(Exception):
    """A maker did not make a client, or it does not compile."""


def make(maker: Maker) -> None:
    """Make its client, and compile it.

    Raises:
        NotMadeError: with what was said last.
    """
    missing = [program for program in maker.needs if shutil.which(program) is None]
    if missing:
        raise NotMadeError(f"{', '.join(missing)} is missing")
    folder = FOLDER / maker.name
    shutil.rmtree(folder, ignore_errors=True)
    place = folder / maker.place
    place.parent.mkdir(parents=True)
    shutil.copyfile(PROGRAMS / maker.program, place)
    for step in maker.steps:
        said = f"{' '.join(step)[:100]}"
        try:
            done = subprocess.run(
                step,
                cwd=folder,
                env=_environment(folder),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=STEP_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise NotMadeError(f"{said} took more than {STEP_SECONDS} s") from None
        if done.returncode:
            raise NotMadeError(f"{said} ended with {done.returncode}:\n{done.stdout[-3000:]}")


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(folder / "client")}


def main() -> int:
    """Prints a line a maker; 1 when one failed."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "openapi.json").write_bytes(render(openapi_document(OPERATIONS, WEBHOOKS)))
    shutil.rmtree(FOLDER / "stack", ignore_errors=True)
    failures = 0
    with Scene.open(FOLDER / "stack") as scene:
        print(f"\n{'client':28}{'made in':>10}{'recorded':>12}", flush=True)
        for maker in MAKERS:
            if sys.argv[1:] and maker.name not in sys.argv[1:]:
                continue
            began = time.monotonic()
            folder = FOLDER / maker.name
            try:
                make(maker)
                made = time.monotonic() - began
                seconds = asyncio.run(scene.record(maker.record, folder, _environment(folder)))
            except (NotMadeError, NotRecordedError) as error:
                failures += 1
                print(f"{maker.name:28}{error}", flush=True)
            else:
                print(f"{maker.name:28}{made:8.0f} s{seconds:10.3f} s", flush=True)
                note("client", maker.name, version=maker.version, run="a session recorded", lacks=maker.lacks)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
