"""The file that was written is told by its bytes."""

import hashlib
import io
from pathlib import Path

from audio.building.wav import digest


def test_the_digest_is_of_the_whole_file(tmp_path: Path) -> None:
    """One that is longer than what is read at once, by its path and opened, wherever it stands."""
    data = bytes(range(256)) * (3 << 12) + b"the rest"
    (tmp_path / "long").write_bytes(data)
    file = io.BytesIO(data)
    file.seek(99)
    expected = (hashlib.sha256(data).hexdigest(), len(data))

    assert digest(tmp_path / "long") == expected
    assert digest(file) == expected
