"""Models that come inside wheels: found without importing the package around them, and read only as they are known."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from worker.outputs.speech.engines.engine import SpeechError


def model_file(package: str, name: str, sha256: str) -> Path:
    """A file of an installed distribution.

    Args:
        package: the distribution's name.
        name: the file's path below site-packages.
        sha256: in hex, of its content.

    Raises:
        SpeechError: `speech.engine_missing`: it is not installed, or it is another file.
    """
    try:
        path = Path(str(distribution(package).locate_file(name)))
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except (PackageNotFoundError, OSError):
        raise SpeechError("speech.engine_missing", f"{package} is missing: the extra parley[speech] has it") from None
    if found != sha256:
        raise SpeechError("speech.engine_missing", f"{path.name} of {package} is not the model that parley[speech] has")
    return path
