"""Real services for the tests: one PostgreSQL and one livekit-server per run, a fresh migrated database per test.

`PARLEY_TEST_DATABASE_URL` names a superuser's database on a server to use instead of an embedded one.
"""

import asyncio
import hashlib
import io
import os
import shutil
import traceback
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import hypothesis
import psycopg
import pytest
from psycopg import sql

from parley.installation.logging import configure_logging
from parley.servers.livekit_program import LiveKitServerError, find_or_build
from parley.servers.livekit_server import LiveKitServer
from tests.support.services.postgres_cluster import PostgresCluster
from tests.support.test_run.databases_in_memory import DatabasesInMemory
from tests.support.test_run.dealing import dealt
from tests.support.test_run.left_open import Openings
from tests.support.test_run.light_stacks import note_lightly
from tests.support.test_run.logging_state import logging_put_back
from tests.support.test_run.one_thread import load_numpy
from tests.support.test_run.openings_watch import OpeningsWatch
from tests.support.test_run.shared_in_run import shared_in_run
from tests.support.test_run.shared_statements import share_statements
from tests.support.test_run.unmeasured import Unmeasured

load_numpy()

# Python 3.11 makes a loop for whoever asks for the current one before any was set, and pytest-asyncio asks, and never
# closes it, once a test without a loop has run before.
asyncio.set_event_loop(None)

# Debug mode keeps where every task, callback and future came from: all of their frames cost a third of what API tests
# compute, and three of them still a fifth where they are not noted lightly. Futures ask for all by giving no limit.
asyncio.constants.DEBUG_STACK_DEPTH = 3  # type: ignore[attr-defined] # a constant by its name only
traceback.extract_stack.__defaults__ = (None, 3)
note_lightly()

share_statements()

# How fast examples are made and run says something about the machine, not about what is tested. CI takes the same
# examples each time, so that what it says is about the change; developers' runs take new ones.
hypothesis.settings.register_profile(
    "parley",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("parley")

_IMAGE = "tests/e2e/image/"  # builds a container's image: minutes the first time
_REALTIME = ("tests/e2e/", "tests/integration/worker/", "tests/integration/store/lifecycle/test_pauses.py")
# Of these, what waits for processes, engines and timers, but judges nothing by when it happened.
_UNTIMED = (
    "tests/e2e/operations/test_deletion.py",
    "tests/e2e/operations/test_nothing_left_behind.py",
    "tests/e2e/conversations/test_odd_names.py",
    "tests/e2e/conversations/test_task_session.py",
    "tests/integration/worker/processes/",
    "tests/integration/worker/outputs/product/",
    "tests/integration/worker/outputs/speech/",
    "tests/integration/worker/spool/test_salvage_spools.py",
    "tests/integration/worker/spool/test_segment_uploads.py",
    "tests/integration/worker/outputs/summary/",
    "tests/integration/worker/outputs/test_openai_endpoint.py",
    "tests/integration/worker/webhooks/",
)
# Simulations, made-up cases, and what reads all of the code: tracing them takes a third of what it takes in all.
_UNMEASURED = (
    "tests/unit/audio/building/test_loudness.py",
    "tests/unit/audio/building/test_meters.py",
    "tests/unit/audio/placing/test_timeline.py",
    "tests/unit/audio/test_voice_activity.py",
    "tests/unit/product/",
    "tests/unit/sessions/test_codes.py",
    "tests/unit/worker/capture/jitter_buffer/test_buffer_delay.py",
    "tests/unit/worker/capture/test_standstill.py",
    "tests/unit/worker/outputs/product/test_segment_holes.py",
)
_LONG = (
    *_UNTIMED,
    "tests/e2e/faults/test_bad_luck.py",
    "tests/e2e/conversations/test_pauses.py",
    "tests/e2e/faults/test_survival.py",
    "tests/e2e/conversations/test_transcripts.py",
    "tests/e2e/faults/test_zombies.py",
    "tests/integration/bench/",
    "tests/integration/control_api/operations/test_schemathesis.py",
    "tests/integration/parley/servers/",
    "tests/integration/worker/run/test_session_run.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Mark what records in real time, by its place; let what takes long begin first."""
    places = {item: item.path.relative_to(config.rootpath).as_posix() for item in items}
    for item, place in places.items():
        if place.startswith(_REALTIME) and not place.startswith(_UNTIMED):
            item.add_marker(pytest.mark.realtime)
        if place.startswith(_UNMEASURED):
            item.add_marker(pytest.mark.unmeasured)
        if place.startswith(_IMAGE):
            item.add_marker(pytest.mark.long)
    yield  # where `-m` leaves some out
    long = [item for item in items if places[item].startswith(_LONG)]
    others = [item for item in items if not places[item].startswith(_LONG)]
    items[:] = dealt(long, others, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_configure(config: pytest.Config) -> None:
    """Watch what tests leave open; a plugin, as hooks in this file don't hear of fixtures of the session.

    And put the run's databases into memory if there is room.
    """
    config.pluginmanager.register(OpeningsWatch(Openings()))
    DatabasesInMemory.register(config)
    config.pluginmanager.register(Unmeasured())


@pytest.fixture(autouse=True)
def _logging_put_back() -> Iterator[None]:
    """A command that a test runs in this process configures logging, into a stream that ends with the test."""
    with logging_put_back():
        yield


@pytest.fixture
def log(_logging_put_back: None) -> io.StringIO:
    """All that this process logs from here on, as its commands would."""
    stream = io.StringIO()
    configure_logging("debug", stream=stream, process="test")
    return stream


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 0700 folder that every pytest process of this run shares; pytest removes it three runs later.

    Its name is short, as socket paths are limited.
    """
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def database_folder(pytestconfig: pytest.Config, run_folder: Path) -> Path:
    """The same for PostgreSQL's files: in memory if there is room, where a test takes a seventh less CPU (measured)."""
    return DatabasesInMemory.folder_of(pytestconfig) or run_folder


@pytest.fixture(scope="session")
def postgres_url(database_folder: Path) -> Iterator[str]:
    """A maintenance URL of a real PostgreSQL; the embedded one stops when the last pytest process is gone."""
    if url := os.environ.get("PARLEY_TEST_DATABASE_URL"):
        yield url
        return
    from parley.servers.embedded_postgres import EmbeddedPostgres

    with EmbeddedPostgres(database_folder / "pg", fsync=False) as url:
        yield url


def _with_database(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str, run_folder: Path) -> Iterator[str]:
    """The name of a database with the newest schema, to copy from; one for all processes of the run."""
    from store.database.server.schema import migrate

    name = f"template_{hashlib.sha256(str(run_folder).encode()).hexdigest()[:12]}_{run_folder.stat().st_ino}"

    def make() -> None:
        remove()
        _execute(postgres_url, "CREATE DATABASE {}", name)
        migrate(_with_database(postgres_url, name))

    def remove() -> None:
        _execute(postgres_url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    with shared_in_run(run_folder, "template", make=make, remove=remove):
        yield name


@pytest.fixture
def database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database; dropped afterwards."""
    with _fresh_database(postgres_url, migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """One for all tests of a module, in this process."""
    with _fresh_database(postgres_url, migrated_template) as url:
        yield url


@pytest.fixture(scope="session")
def common_database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """One for all tests of this process that bear each other's rows."""
    with _fresh_database(postgres_url, migrated_template) as url:
        yield url


@contextmanager
def _fresh_database(postgres_url: str, migrated_template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    _execute(postgres_url, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, migrated_template)
    yield _with_database(postgres_url, name)
    _execute(postgres_url, "DROP DATABASE {} WITH (FORCE)", name)


def _execute(postgres_url: str, statement: LiteralString, *names: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture
def own_postgres(database_folder: Path) -> Iterator[PostgresCluster]:
    """A PostgreSQL that the test may stop and freeze, with the newest schema."""
    from store.database.server.schema import migrate

    folder = database_folder / f"own-{os.getpid()}"
    cluster = PostgresCluster(folder)
    cluster.start()
    migrate(cluster.url)
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def livekit_binary() -> Path:
    """The server's program; a missing one fails in CI and skips loudly elsewhere."""
    try:
        return find_or_build(print)
    except LiveKitServerError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NO LIVEKIT SERVER: {error}")


@pytest.fixture(scope="session")
def livekit(livekit_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    """One server on loopback for all tests of this process; tests keep apart by room names."""
    with LiveKitServer(livekit_binary, tmp_path_factory.mktemp("livekit")) as server:
        yield server


@pytest.fixture
def own_livekit(livekit_binary: Path, tmp_path: Path) -> Iterator[LiveKitServer]:
    """A server that the test may kill, freeze and start again."""
    with LiveKitServer(livekit_binary, tmp_path / "livekit") as server:
        yield server
