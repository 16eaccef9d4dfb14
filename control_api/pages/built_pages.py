"""The built files of the pages, from the folder that `web/build.py` writes; the distribution brings it along."""

import re
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).with_name("built")
_COMPRESSED = (".br", ".gz")
_ICON = re.compile(r"icon-[^.]+\.svg")


class BuiltPages:
    """What was built. Names that were not there at the start are never looked for, so no path leads elsewhere.

    Args:
        folder: holds `index.html`, `licenses.txt` and `assets/`; may be missing.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        shell, licenses, assets = folder / "index.html", folder / "licenses.txt", folder / "assets"
        self.shell = shell.read_text() if shell.is_file() else None
        self.licenses = licenses if licenses.is_file() else None
        found = assets.iterdir() if assets.is_dir() else ()
        self._assets = {path.name: path for path in found if path.suffix not in _COMPRESSED}
        self.icon = next((path for name, path in self._assets.items() if _ICON.fullmatch(name)), None)

    def asset(self, name: str) -> Path | None:
        """The file with the name, which has its content's hash in it."""
        return self._assets.get(name)


PAGES = web.AppKey("pages", BuiltPages)
