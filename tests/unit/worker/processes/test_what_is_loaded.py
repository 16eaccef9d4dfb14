"""What a process loads before there is work for it, which is memory that every idle worker holds."""

import subprocess
import sys

HEAVY = {"numpy", "soundfile", "soxr", "livekit", "onnxruntime", "alembic"}


def loaded_by(module: str) -> set[str]:
    """The packages that are there once `module` is imported."""
    code = f"import {module}, sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    return set(printed.stdout.split())


def test_the_job_process_at_rest_has_loaded_nothing_that_builds_recordings() -> None:
    """Neither numpy nor a codec, nor LiveKit; it waits for jobs."""
    loaded = loaded_by("parley.commands.jobs")
    assert "procrastinate" in loaded
    assert not HEAVY & loaded


def test_the_supervisor_has_loaded_nothing_that_hears() -> None:
    """It moves segments, and looks at no sample."""
    loaded = loaded_by("parley.commands.worker")
    assert "obstore" in loaded
    assert not HEAVY & loaded
