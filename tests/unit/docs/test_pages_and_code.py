"""What the pages say of settings, codes, states, metrics and log lines is what the code has."""

import re
from pathlib import Path

from control_api.http.serving.bulk_reads import TURNS
from parley.installation.settings_loading import SECRET_FIELDS
from sessions.codes import CODES
from sessions.lifecycle.lifecycle import TERMINAL, TRANSITIONS, Status
from sessions.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
SOURCES = "".join(
    path.read_text()
    for package in ("store", "worker", "control_api", "parley")
    for path in sorted((ROOT / package).glob("**/*.py"))
)
# Variables of examples, tests and compose.yaml.
NO_SETTINGS = {"PARLEY_KEY", "PARLEY_URL", "PARLEY_SCHEMATHESIS_SEED", "PARLEY_SCHEMATHESIS_OPTIONS"}
NO_CODES = {"session.retrying", "transport.worker_identity"}


def page(name: str) -> str:
    """A page of docs/."""
    return (ROOT / "docs" / name).read_text()


def number(path: str, pattern: str) -> int:
    """The one number that a module has in this place."""
    (found,) = re.findall(pattern, (ROOT / path).read_text())
    return int(found)


def test_every_setting_that_a_page_names_exists() -> None:
    """A misspelt variable would be ignored."""
    known = {f"PARLEY_{name.upper()}" for name in Settings.model_fields} | NO_SETTINGS
    known |= {f"PARLEY_{name.upper()}_FILE" for name in SECRET_FIELDS}
    named = {(path.name, name) for path in PAGES for name in re.findall(r"\bPARLEY_[A-Z_]+[A-Z]\b", path.read_text())}

    assert sorted((where, name) for where, name in named if name not in known) == []


def test_defaults_in_the_text_are_those_of_the_code() -> None:
    """`PARLEY_QUEUE_SECONDS` (300), wherever it stands."""
    said = [
        (path.name, name, float(value))
        for path in PAGES
        for name, value in re.findall(r"`PARLEY_([A-Z_]+)` \(([\d.]+)\)", path.read_text())
    ]

    assert said
    assert [one for one in said if Settings.model_fields[one[1].lower()].default != one[2]] == []


def test_every_code_that_the_lifecycle_and_the_tokens_name_exists() -> None:
    """Codes are a promise, on these pages too."""
    kinds = {code.partition(".")[0] for code in CODES if "." in code}
    dotted = re.findall(r"`([a-z_]+)\.([a-z_]+)`", page("lifecycle.md") + page("guides/tokens.md"))
    named = {f"{kind}.{rest}" for kind, rest in dotted if kind in kinds}

    assert sorted(named - set(CODES) - NO_CODES) == []


def test_the_lifecycle_page_names_every_code_that_closes_a_session() -> None:
    """Those of speech and summaries close none."""
    closing = {
        code.code
        for code in CODES.values()
        if code.kind in ("failure", "end") and code.code.partition(".")[0] not in ("speech", "summary")
    }

    assert sorted(code for code in closing if f"`{code}`" not in page("lifecycle.md")) == []


def test_the_lifecycle_page_explains_every_gap() -> None:
    """Other pages say that it does."""
    explained = re.findall(r"^- `(gap\.\w+)`: ", page("lifecycle.md"), re.MULTILINE)

    assert sorted(explained) == sorted(code.code for code in CODES.values() if code.kind == "gap")


def test_the_lifecycle_page_has_every_way_out_of_every_state() -> None:
    """What a section lists under `leaves it` is what the table allows."""
    sections = dict(re.findall(r"^## ([\w, ]+)\n(.*?)(?=^## |\Z)", page("lifecycle.md"), re.MULTILINE | re.DOTALL))

    assert set(TERMINAL) == {Status(word) for word in list(sections)[-1].split(", ")}
    for status in set(TRANSITIONS) - TERMINAL:
        rows = re.findall(r"^\| → (.*?) \|", sections[status], re.MULTILINE)
        said = {word for row in rows for word in re.findall(r"`(\w+)`", row)}
        assert said >= {str(target) for target in TRANSITIONS[status].values()}, status


def test_every_metric_is_explained_and_every_explained_metric_exists() -> None:
    """The tables of operations/watch.md are complete."""
    explained = re.findall(r"^\| `(parley_\w+)` \|", page("operations/watch.md"), re.MULTILINE)
    written = re.findall(r'"(parley_(?:api|worker)_[a-z_]+)"', SOURCES)
    figures = re.findall(r'^    "(\w+)": "', (ROOT / "worker/host/monitoring/metrics.py").read_text(), re.MULTILINE)
    metrics = {*written, *(f"parley_worker_{figure}" for figure in figures)}

    assert sorted(name.removesuffix("_total") for name in explained) == sorted(
        name.removesuffix("_total") for name in metrics
    )


def test_every_log_line_that_is_explained_is_written() -> None:
    """Who looks for an event of operations/watch.md finds it in the code."""
    table = page("operations/watch.md").split("| event | level |")[1]
    events = re.findall(r"^\| `([\w.]+)` \| (\w+) \|", table, re.MULTILINE)

    assert events
    assert [
        (event, level) for event, level in events if not re.search(rf'{level}\(\s*"{re.escape(event)}"', SOURCES)
    ] == []


def test_connections_to_postgresql_are_as_many_as_the_code_opens() -> None:
    """operations/size.md: per process, and together for a worker of four recorders with all that runs on demand."""
    rows = re.findall(r"^\| (?:the |each )?(.+?) \| (\d+) \|$", page("operations/size.md"), re.MULTILINE)
    said = {process.partition(",")[0].strip("`"): int(count) for process, count in rows[:6]}
    jobs = number("store/jobs/patient_connector.py", r"max_size=(\d+)") + 1
    found = {
        "parley api": number("parley/commands/api.py", r"_POOL_SIZE = (\d+)") + TURNS + 1,
        "worker's supervisor": number("worker/host/host.py", r"pool_size=(\d+)"),
        "recorder process": number("worker/processes/recorder_opening.py", r'"parley-recorder", pool_size=(\d+)')
        + number("worker/processes/recorder_opening.py", r'"parley-beats", pool_size=(\d+)')
        + 1,
        "job process": number("worker/processes/job_process.py", r"_POOL_SIZE = (\d+)") + jobs,
        "speech process": number("worker/processes/speech_process.py", r"_POOL_SIZE = (\d+)") + jobs,
        "process of webhooks": number("worker/processes/webhook_process.py", r"_POOL_SIZE = (\d+)") + 1,
    }
    worker = sum(found.values()) - found["parley api"] + 3 * found["recorder process"]

    assert said == found
    assert f"four recorder processes therefore takes up to {worker}." in page("operations/size.md")
