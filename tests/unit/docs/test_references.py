"""What pages refer to is there, and nothing refers to a page that only its authors know."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sessions.audio_formats import MEDIA_TYPES

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("sessions", "audio", "store", "worker", "control_api", "parley", "bench")

# Papers that the first authors worked from. Whoever reads this repository has none of them: say the thing itself.
ELSEWHERE = re.compile(
    r"\bdocuments? 00\d|\.\./shared|\bdesign\.md|\blivekit\.md|(?<![\w/])api\.md|\bissues? #?\d", re.IGNORECASE
)

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)+/?")
_MEDIA_TYPES = set(MEDIA_TYPES.values())
_FENCE = re.compile(r"```.*?```", re.DOTALL)


def tracked() -> list[str]:
    """Every file of the repository, by its path."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in done.stdout.splitlines() if (ROOT / path).is_file()]


def pages() -> list[str]:
    """Everything that is written for readers."""
    return [path for path in tracked() if path.endswith(".md")]


def prose(page: str) -> str:
    """A page without its blocks of code."""
    return _FENCE.sub("", (ROOT / page).read_text())


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: str) -> Iterator[str]:
    """Relative links of a page that lead nowhere."""
    for link in _LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            yield f"{page}: {link}"


def missing_paths(page: str) -> Iterator[str]:
    """Files and folders of our packages that a page names in backticks, and that are not there."""
    for code in _CODE.findall(prose(page)):
        if not _PATH.fullmatch(code) or code in _MEDIA_TYPES:
            continue
        if code.endswith((".py", ".md")) or code.startswith(tuple(f"{package}/" for package in (*PACKAGES, "tests"))):
            found = any(ROOT.glob(code.rstrip("/"))) or any((ROOT / page).parent.glob(code.rstrip("/")))
            if not found:
                yield f"{page}: {code}"


def test_relative_links_lead_somewhere() -> None:
    """The file is there, and the heading in it."""
    assert [link for page in pages() for link in broken_links(page)] == []


def test_the_list_of_pages_has_each_page() -> None:
    """Who opens `docs` finds all of them, and what each is for."""
    folder = ROOT / "docs"
    listed = set(_LINK.findall((folder / "README.md").read_text()))
    pages = [*folder.glob("*.md"), *folder.glob("guides/*.md")]
    there = {str(path.relative_to(folder)) for path in pages} - {"README.md"}

    assert sorted(there - listed) == []


def test_paths_in_backticks_exist() -> None:
    """Who reads `worker/run/stop.py` can open it."""
    assert [path for page in pages() for path in missing_paths(page)] == []


def test_every_room_is_named_in_the_architecture() -> None:
    """A folder of code without a line there is one that newcomers have to guess."""
    rooms = {str(Path(path).parent) for path in tracked() if path.endswith("/__init__.py")}
    named = set(_CODE.findall((ROOT / "ARCHITECTURE.md").read_text()))
    ours = {room for room in rooms if room.split("/")[0] in PACKAGES}

    assert sorted(ours - named) == []


def test_nothing_refers_to_papers_that_readers_do_not_have() -> None:
    """Reasons stand where they are needed."""
    found = []
    for path in tracked():
        if path == Path(__file__).relative_to(ROOT).as_posix():
            continue
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
        if path.startswith(("docs/", "tools/")):
            text = text.replace("api.md", "")  # docs/api.md, from beside it
        found += [f"{path}: {hit[0]}" for hit in ELSEWHERE.finditer(text)]

    assert found == []


def test_commands_work_on_a_clean_machine() -> None:
    """`uuidgen` is often missing, and then the header is empty; the audio is behind a redirect."""
    commands = [
        (page, line)
        for page in pages()
        for block in _FENCE.findall((ROOT / page).read_text())
        for line in block.splitlines()
    ]

    assert [page for page, line in commands if "uuidgen" in line] == []
    assert [
        page for page, line in commands if re.search(r"curl .*/audio\b", line) and not re.search(r" -\w*L", line)
    ] == []
