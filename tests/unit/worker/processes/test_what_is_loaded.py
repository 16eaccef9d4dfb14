"""What a process loads before there is work for it, which is memory that every idle worker holds."""

import subprocess
import sys


def test_the_job_process_at_rest_has_loaded_nothing_that_builds_recordings() -> None:
    """Neither numpy nor a codec, nor LiveKit."""
    code = "import parley.commands.jobs, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout
    assert "procrastinate" in loaded.split()
    assert not {"numpy", "soundfile", "soxr", "livekit", "onnxruntime", "pocketsphinx"} & set(loaded.split())
