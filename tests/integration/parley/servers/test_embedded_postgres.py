"""The embedded PostgreSQL, with each of its processes killed in turn."""

import contextlib
import fcntl
import os
import random
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from parley.servers.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from tests.integration.parley.servers.process_probes import Scripts, is_running, wait_until

USER = """
import sys, time
from pathlib import Path
from parley.servers.embedded_postgres import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1]), fsync=False).attach(), flush=True)
time.sleep(600)
"""
GONE_SECONDS = 5
STARTERS = 6


@pytest.fixture
def data_dir(short_folder: Path) -> Iterator[Path]:
    """A folder for one server, which must be gone at the end of the test."""
    folder = short_folder / "data"
    yield folder
    if folder.exists():
        wait_until(lambda: is_stopped(folder), "the server of the test is gone")


@pytest.fixture(scope="module")
def cluster_made_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete, stopped data folder to copy: making one takes most of a start's time."""
    folder = tmp_path_factory.mktemp("made-before") / "data"
    with EmbeddedPostgres(folder, fsync=False) as url:
        run(url, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('here')")
    wait_until(lambda: is_stopped(folder), "the server of the template is gone")
    return folder


@pytest.fixture
def made(data_dir: Path, cluster_made_before: Path) -> Path:
    """`data_dir` with a stopped cluster that holds the table `kept`."""
    shutil.copytree(cluster_made_before, data_dir)
    return data_dir


@pytest.fixture
def hold(made: Path) -> Iterator[EmbeddedPostgres]:
    """A hold on the server of `made`, not attached yet; let go at the end."""
    postgres = EmbeddedPostgres(made, fsync=False)
    yield postgres
    postgres.detach()


def run(url: str, *statements: str) -> list[tuple[object, ...]]:
    """The rows of the last statement."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def is_stopped(folder: Path) -> bool:
    """No postmaster and no backend is left: all of them hold alive.lock."""
    with (folder / "alive.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "pg" / "postmaster.pid").read_text().split()[0]))


def keeper(folder: Path) -> psutil.Process:
    found = postmaster(folder).parent()
    assert found is not None
    assert "parley.servers.postgres_keeper" in found.cmdline()
    return found


def everything_in(folder: Path) -> Iterator[os.stat_result]:
    """The folder and all that is in it; the server may remove files meanwhile."""
    for path in [folder, *folder.rglob("*")]:
        with contextlib.suppress(FileNotFoundError):
            yield path.lstat()


def test_first_start_makes_role_and_database(data_dir: Path) -> None:
    """A new folder becomes a UTF-8 database `parley` of PostgreSQL 18, durable unless told otherwise."""
    with EmbeddedPostgres(data_dir) as url:
        rows = run(
            url,
            "SELECT current_user::text, current_database()::text, current_setting('server_version_num')::int / 10000,"
            " current_setting('server_encoding'), current_setting('max_connections'), current_setting('fsync'),"
            " current_setting('TimeZone')",
        )
    assert rows == [("parley", "parley", 18, "UTF8", "200", "on", "UTC")]


def test_starters_at_once_share_one_server(data_dir: Path, scripts: Scripts) -> None:
    """Processes that start together on a new folder all reach the same server."""
    users = [scripts.start(USER, data_dir) for _ in range(STARTERS)]
    urls = [scripts.line(user) for user in users]
    assert len({*urls}) == 1
    starts = {run(url, "SELECT pg_postmaster_start_time()")[0] for url in urls}
    assert len(starts) == 1


def test_killed_starter_leaves_the_others_going(made: Path, scripts: Scripts) -> None:
    """The server belongs to all of its users, not to the one that happened to start it."""
    starter = scripts.start(USER, made)
    url = scripts.line(starter)
    scripts.line(scripts.start(USER, made))
    with psycopg.connect(url) as connection:
        starter.kill()
        starter.wait()
        assert connection.execute("SELECT word FROM kept").fetchall() == [("here",)]
    assert run(url, "SELECT word FROM kept") == [("here",)]
    assert not is_stopped(made)


def test_server_stops_after_its_last_user_was_killed(made: Path, scripts: Scripts) -> None:
    """Users that die by kill -9 leave nothing running."""
    for user in [scripts.start(USER, made) for _ in range(3)]:
        scripts.line(user)
    server, its_keeper = postmaster(made), keeper(made)
    scripts.kill_all()
    wait_until(lambda: is_stopped(made), "the server stops after its last user", GONE_SECONDS)
    wait_until(lambda: not is_running(its_keeper.pid), "the keeper ends", GONE_SECONDS)
    assert not is_running(server.pid)


def test_users_have_no_server_in_their_process_tree(made: Path, scripts: Scripts) -> None:
    """Whoever kills a user with all its children does not hit the others' server."""
    user = scripts.start(USER, made)
    scripts.line(user)
    assert psutil.Process(user.pid).children(recursive=True) == []
    assert os.getsid(keeper(made).pid) != os.getsid(user.pid)


def test_attach_again_is_harmless_and_detach_lets_go(made: Path, hold: EmbeddedPostgres) -> None:
    """One hold per object, however often it attached."""
    url = hold.attach()
    started = run(url, "SELECT pg_postmaster_start_time()")
    assert hold.attach() == url
    assert run(url, "SELECT pg_postmaster_start_time()") == started
    hold.detach()
    wait_until(lambda: is_stopped(made), "the server stops", GONE_SECONDS)


def test_killed_keeper_takes_the_server_with_it_and_attach_brings_both_back(made: Path, hold: EmbeddedPostgres) -> None:
    """The same hold is good for the next server, and committed rows are there."""
    url = hold.attach()
    run(url, "INSERT INTO kept VALUES ('and there')")
    keeper(made).kill()
    wait_until(lambda: is_stopped(made), "the server stops", GONE_SECONDS)
    assert hold.attach() == url
    assert run(url, "SELECT word FROM kept ORDER BY word") == [("and there",), ("here",)]


def test_attach_right_after_the_postmaster_was_killed(made: Path, hold: EmbeddedPostgres) -> None:
    """No dead server is handed out, and none is started beside living backends."""
    url = hold.attach()
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO kept VALUES ('and there')")
        connection.commit()
        postmaster(made).kill()
        assert hold.attach() == url
        assert run(url, "SELECT count(*) FROM kept") == [(2,)]


def test_no_server_starts_beside_a_backend_that_is_left(made: Path, hold: EmbeddedPostgres) -> None:
    """A backend that outlives its postmaster (stopped, or waiting for a disk) could still write into the cluster."""
    with psycopg.connect(hold.attach()) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        server, its_keeper = postmaster(made), keeper(made)
        backend.suspend()
        server.kill()
        its_keeper.kill()
        wait_until(lambda: not is_running(server.pid) and not is_running(its_keeper.pid), "both are dead")
        with pytest.raises(EmbeddedPostgresError, match="neither stops nor answers"):
            EmbeddedPostgres(made, fsync=False, start_seconds=3).attach()
        backend.resume()
        wait_until(lambda: is_stopped(made), "the backend notices and ends")
    assert run(hold.attach(), "SELECT word FROM kept") == [("here",)]


def test_stale_pid_file_that_names_a_living_stranger(made: Path) -> None:
    """Reused process numbers (containers) neither stop the start nor harm the stranger."""
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        stale = f"{stranger.pid}\n{made}/pg\n{time.time():.0f}\n5432\n{made}/run\n\n  1 1\nready   \n"
        (made / "pg" / "postmaster.pid").write_text(stale)
        (made / "run").mkdir(mode=0o700, exist_ok=True)
        (made / "run" / ".s.PGSQL.5432.lock").write_text(stale)
        with EmbeddedPostgres(made, fsync=False) as url:
            assert run(url, "SELECT word FROM kept") == [("here",)]
        wait_until(lambda: is_stopped(made), "the server stops", GONE_SECONDS)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("name", ["deep" * 30, "space 'and' \"quotes\" %41 ü", "a,comma"])
def test_awkward_paths(short_folder: Path, cluster_made_before: Path, name: str) -> None:
    """Too long for a socket, or full of characters that mean something to somebody."""
    folder = short_folder / name / "data"
    shutil.copytree(cluster_made_before, folder)
    with EmbeddedPostgres(folder, fsync=False) as url:
        assert run(url, "SELECT word FROM kept") == [("here",)]
        socket_folder = Path(postmaster_lines(folder)[4].strip('"'))
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
    wait_until(lambda: is_stopped(folder), "the server stops", GONE_SECONDS)
    if folder not in socket_folder.parents:
        wait_until(lambda: not socket_folder.exists(), "the folder outside the data folder is removed")


def postmaster_lines(folder: Path) -> list[str]:
    return (folder / "pg" / "postmaster.pid").read_text().splitlines()


def test_socket_folder_of_somebody_else_is_refused(short_folder: Path, cluster_made_before: Path) -> None:
    """A folder that others may write to could hold their socket."""
    folder = short_folder / ("deep" * 30)
    shutil.copytree(cluster_made_before, folder)
    with EmbeddedPostgres(folder, fsync=False):
        socket_folder = Path(postmaster_lines(folder)[4])
    wait_until(lambda: not socket_folder.exists(), "the server stops")
    socket_folder.mkdir()
    socket_folder.chmod(0o777)
    try:
        with pytest.raises(EmbeddedPostgresError, match="only you can open"):
            EmbeddedPostgres(folder, fsync=False).attach()
    finally:
        socket_folder.rmdir()


def test_only_the_owner_can_open_anything(short_folder: Path) -> None:
    """Connecting needs no password, so the folders are the wall; parents stay as they were."""
    parent = short_folder / "private"
    parent.mkdir(mode=0o700)
    before = parent.stat()
    with EmbeddedPostgres(parent / "data", fsync=False):
        assert {found.st_mode & 0o077 for found in everything_in(parent / "data")} == {0}
        listening = psutil.Process(postmaster(parent / "data").pid).net_connections("inet")
        assert listening == []
    assert (before.st_mode, before.st_uid) == (parent.stat().st_mode, parent.stat().st_uid)
    wait_until(lambda: is_stopped(parent / "data"), "the server stops")


@pytest.mark.parametrize("seed", range(4))
def test_users_killed_while_starting(data_dir: Path, scripts: Scripts, seed: int) -> None:
    """Whatever moment of a first start a kill -9 hits, the next start finishes it."""
    chance = random.Random(seed)
    for _ in range(3):
        user = scripts.start(USER, data_dir)
        wait_until((data_dir / "start.lock").exists, "the start begins")
        time.sleep(chance.uniform(0, 0.5))  # not a wait for something: the moment of the kill
        user.kill()
    with EmbeddedPostgres(data_dir, fsync=False) as url:
        assert run(url, "SELECT current_database()::text") == [("parley",)]


def test_half_made_cluster_is_made_again(data_dir: Path) -> None:
    """What a killed keeper left of a first start is no cluster."""
    (data_dir / "pg.new").mkdir(parents=True)
    (data_dir / "pg.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(data_dir, fsync=False) as url:
        assert run(url, "SELECT current_database()::text") == [("parley",)]


def test_cluster_of_another_version_is_named(made: Path) -> None:
    """The user learns which versions don't fit, and the hold is let go."""
    (made / "pg" / "PG_VERSION").write_text("17\n")
    postgres = EmbeddedPostgres(made, fsync=False)
    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 17, this Parley brings 18"):
        postgres.attach()
    with (made / "use.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_broken_cluster_shows_what_the_server_said(made: Path) -> None:
    """The log's last lines are in the error."""
    (made / "pg" / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedPostgresError, match="pg_control"):
        EmbeddedPostgres(made, fsync=False).attach()


def test_data_folder_that_cannot_be_made(short_folder: Path) -> None:
    """A file where the folder should be."""
    (short_folder / "data").write_text("")
    with pytest.raises(EmbeddedPostgresError, match="can't be made"):
        EmbeddedPostgres(short_folder / "data").attach()


ORDINARY_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
ROOT_WITHOUT_NAMESPACES = (
    *("unshare", "--user", "--map-root-user", "sh", "-c"),
    'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"',
    "sh",
)
SAY = """
import os, sys
from pathlib import Path
import psycopg
from parley.servers.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
try:
    with EmbeddedPostgres(Path(sys.argv[1]), fsync=False) as url, psycopg.connect(url) as connection:
        print(os.geteuid(), connection.execute("SELECT word FROM kept").fetchone()[0])
except EmbeddedPostgresError as error:
    print(error)
"""


def said(folder: Path, wrapper: tuple[str, ...]) -> str:
    argv = [*wrapper, sys.executable, "-c", SAY, str(folder)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_ordinary_user(made: Path) -> None:
    """A user that isn't root needs nothing else."""
    assert said(made, ORDINARY_USER) == "1000 here"


def test_root_where_namespaces_are_forbidden_is_told_what_to_do(made: Path) -> None:
    """PostgreSQL refuses root; the message names the ways out."""
    text = said(made, ROOT_WITHOUT_NAMESPACES)
    assert "refuses to run as root" in text
    assert "chown" in text
    assert "PARLEY_DATABASE_URL" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_root_in_a_folder_of_an_ordinary_user(made: Path, short_folder: Path) -> None:
    """The server runs as the folder's owner, and everything in the folder stays the owner's."""
    owner = 65534
    short_folder.chmod(0o711)
    for path in [made, *made.rglob("*")]:
        os.chown(path, owner, owner)
    if any(not parent.stat().st_mode & 0o001 for parent in program_parents()):
        pytest.skip("PARLEY'S PROGRAMS LIE BELOW A FOLDER THAT ONLY ROOT CAN ENTER: no other user can run them")
    with EmbeddedPostgres(made, fsync=False) as url:
        assert run(url, "SELECT word FROM kept") == [("here",)]
        assert postmaster(made).uids().effective == owner
    assert {found.st_uid for found in everything_in(made)} == {owner}


def program_parents() -> list[Path]:
    from parley.servers.postgres_folder import binaries

    return list((binaries() / "postgres").resolve().parents)


def test_its_log_quotes_no_rows(made: Path, hold: EmbeddedPostgres) -> None:
    """What a customer has deleted would stay in it: of an error only the message and the statement are there."""
    with psycopg.connect(hold.attach(), autocommit=True) as connection:
        connection.execute("CREATE TABLE once (word text UNIQUE)")
        connection.execute("INSERT INTO once VALUES ('raspberry')")
        with pytest.raises(psycopg.errors.UniqueViolation, match="raspberry"):
            connection.execute("INSERT INTO once VALUES (%s)", ["raspberry"])
    log = (made / "log").read_text()
    assert "duplicate key value" in log
    assert "(raspberry)" not in log
