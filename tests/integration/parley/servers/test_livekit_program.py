"""Where the program livekit-server comes from."""

import os
import threading
from pathlib import Path

import pytest

from parley.servers.livekit_program import VERSION, LiveKitServerError, find_or_build

FAKE_GO = """#!/bin/sh
echo built >> "$(dirname "$0")/builds"
echo "go: downloading something" >&2
sleep 0.3
echo '#!/bin/sh' > "$GOBIN/server" && chmod +x "$GOBIN/server"
"""
FAILING_GO = """#!/bin/sh
echo "go: no route to the module" >&2
exit 1
"""


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without LiveKit, Go or a cache; its PATH has the returned folder first."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "sleep", "chmod"):
        found = next(folder for folder in os.environ["PATH"].split(":") if (Path(folder) / name).exists())
        (tools / name).symlink_to(Path(found) / name)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PARLEY_LIVEKIT_SERVER", raising=False)
    return tools


def test_places_are_tried_in_order(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache, then PATH before it, then the setting before both."""
    cached = program(tmp_path / "cache" / "parley" / f"livekit-server-{VERSION}" / "livekit-server")
    assert find_or_build(pytest.fail) == cached
    installed = program(bare / "livekit-server")
    assert find_or_build(pytest.fail) == installed
    named = program(tmp_path / "mine")
    monkeypatch.setenv("PARLEY_LIVEKIT_SERVER", str(named))
    assert find_or_build(pytest.fail) == named
    assert find_or_build(pytest.fail, configured=installed) == installed


def test_setting_that_names_no_program(bare: Path, tmp_path: Path) -> None:
    """No silent fallback to another server."""
    with pytest.raises(LiveKitServerError, match=r"PARLEY_LIVEKIT_SERVER is .*nothing"):
        find_or_build(pytest.fail, configured=tmp_path / "nothing")


@pytest.mark.usefixtures("bare")
def test_machine_without_go_is_told_what_to_install() -> None:
    """LiveKit's own instructions, ours, and the setting."""
    with pytest.raises(LiveKitServerError) as caught:
        find_or_build(pytest.fail)
    for way in ("install Go", "brew install livekit", "PARLEY_LIVEKIT_SERVER"):
        assert way in str(caught.value)


def test_builders_at_once_build_once(bare: Path) -> None:
    """One builds, the others wait for it and take its program."""
    program(bare / "go", FAKE_GO)
    lines: list[str] = []
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(find_or_build(lines.append))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert os.access(found[0], os.X_OK)
    assert (bare / "builds").read_text() == "built\n"
    assert any("Building livekit-server" in line for line in lines)
    assert sorted(path.name for path in found[0].parent.iterdir()) == ["build.lock", "livekit-server"]


def test_failed_build_shows_what_go_said(bare: Path, tmp_path: Path) -> None:
    """And leaves nothing that looks like a program."""
    program(bare / "go", FAILING_GO)
    with pytest.raises(LiveKitServerError, match="no route to the module"):
        find_or_build(lambda _: None)
    assert not list((tmp_path / "cache").rglob("livekit-server"))
