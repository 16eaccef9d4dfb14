"""What drills note, and how the page shows it."""

from pathlib import Path

import pytest

from tools.compatibility import note, read, with_tables

PAGE = "before\n<!-- runs: proxy -->\nold\n<!-- end -->\nafter"


def test_a_run_takes_the_place_of_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row a name; the others stay, and the text around the table too."""
    notes = tmp_path / "notes.json"
    monkeypatch.setenv("NOTE_RUNS", "1")
    note("proxy", "nginx", version="1.22", run="all", lacks="much", notes=notes)
    note("client", "curl", version="8", run="all", notes=notes)
    note("proxy", "nginx", version="1.26", run="all", notes=notes)
    note("proxy", "Caddy", version="2", run="some", lacks="a thing", notes=notes)

    assert with_tables(PAGE, read(notes)).splitlines() == [
        "before",
        "<!-- runs: proxy -->",
        "",
        "| proxy | what was run | what it lacks |",
        "| --- | --- | --- |",
        "| Caddy 2 | some | a thing |",
        "| nginx 1.26 | all | – |",
        "",
        "<!-- end -->",
        "after",
    ]


def test_nothing_is_noted_unless_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test run of anybody's changes no page."""
    monkeypatch.delenv("NOTE_RUNS", raising=False)
    note("proxy", "nginx", version="1.26", run="all", notes=tmp_path / "notes.json")

    assert read(tmp_path / "notes.json") == {}
