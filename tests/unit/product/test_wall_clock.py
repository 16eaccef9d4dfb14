"""Every instant that is stored or compared is the database's: who may read this host's wall clock is listed here."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.rules.product_code import product_modules

# Each reads it for something that this host alone knows of.
_HOMES = {
    "parley.api_commands.trigger": "an example of an event is from now, for a receiver of the same person's",
    "parley.client.webhook_receiver": "signs with the time at which a receiver elsewhere checks the signature",
    "parley.demo.talkers_process": "prints when it began to talk, for who watches the same host",
    "parley.servers.livekit_server": "mints a token for a server on this host",
    "store.database.server.examination": "says how far this host's clock is off the database's",
    "store.objects.aws_profile": "says until when this process keeps credentials, which its own client looks at",
    "worker.vitals.figure_file": "the age of a file that this host has stamped",
    "worker.room.livekit.stats": "WebRTC stamps its statistics by this host's wall clock",
}
_READERS = frozenset(
    {
        *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.CLOCK_REALTIME"),
        *("time.time", "time.time_ns", "time.ctime", "time.gmtime", "time.localtime", "time.strftime"),
    }
)
_OF_PROCRASTINATE = frozenset({"utcnow", "schedule_in"})


def _readings(tree: ast.Module) -> Iterator[str]:
    """Whatever in `tree` reads the wall clock, or lets Procrastinate do so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if ".".join(ast.unparse(node).split(".")[-2:]) in _READERS:
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if f"{node.module}.{alias.name}" in _READERS or alias.name in _OF_PROCRASTINATE:
                    yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.keyword) and node.arg in _OF_PROCRASTINATE:
            yield f"line {node.lineno}: {node.arg}"


def test_nobody_but_these_reads_the_wall_clock() -> None:
    """A host whose clock is wrong stores and compares nothing of its own."""
    found = {name: readings for name, tree in product_modules() if (readings := list(_readings(tree)))}

    assert {name: found[name] for name in found if name not in _HOMES} == {}
    assert set(found) == set(_HOMES)


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "datetime.datetime.now()",
        "field(default_factory=datetime.utcnow)",
        "datetime.date.today()",
        "time.time()",
        "stamp = time.time_ns",
        "time.clock_gettime(time.CLOCK_REALTIME)",
        "from time import time as now",
        "from procrastinate.utils import utcnow",
        "app.configure_task('a', schedule_in={'seconds': 1})",
    ],
)
def test_each_way_to_read_it_is_found(line: str) -> None:
    """However it is written."""
    assert len(list(_readings(ast.parse(line)))) == 1


@pytest.mark.parametrize("line", ["time.monotonic()", "loop.time()", "self._clock.now()", "boottime_ns()"])
def test_other_clocks_are_not(line: str) -> None:
    """What counts seconds, and the database's time."""
    assert list(_readings(ast.parse(line))) == []
