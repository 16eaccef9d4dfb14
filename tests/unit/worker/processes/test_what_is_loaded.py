"""What a process loads before there is work for it, which is memory that every idle worker holds."""

import subprocess
import sys

HEAVY = {"numpy", "soundfile", "soxr", "livekit", "onnxruntime", "alembic"}


def loaded_by(module: str) -> set[str]:
    """The packages that are there once `module` is imported."""
    code = f"import {module}, sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    return set(printed.stdout.split())


def test_what_all_children_share_holds_no_engine() -> None:
    """They are forked from one process that has loaded what records, and are in memory once; an engine, in each."""
    loaded = loaded_by("parley.commands.children.nursery, worker.processes.recorder_opening")
    assert {"procrastinate", "numpy", "soundfile"} <= loaded
    assert not {"onnxruntime", "alembic"} & loaded


def test_the_supervisor_has_loaded_nothing_that_hears() -> None:
    """It moves segments, and looks at no sample."""
    loaded = loaded_by("parley.commands.worker")
    assert "obstore" in loaded
    assert not HEAVY & loaded
