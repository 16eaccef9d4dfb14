"""`parley usage verify`: does the bill balance? In words and as an exit code."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest

from parley import cli
from sessions.ids import format_id, new_uuid
from sessions.lifecycle.stop import Stop
from store.outputs.freeze import Product
from store.usage import ledger
from tests.support.running.engine import PRODUCT, Engine


@dataclass
class Bill:
    """A database with bills in it, and the command."""

    engine: Engine
    settings: dict[str, str]
    printed: pytest.CaptureFixture[str]

    async def session(self, *, over: bool = True, product: Product = PRODUCT) -> UUID:
        """One that ran in two stretches; `over`: finalized, too, with a product as long as it ran."""
        fence = await self.engine.running()
        await self.engine.pass_seconds(3)
        await self.engine.beat(fence)
        async with self.engine.db.begin() as conn:
            await ledger.accrue(conn, 0)
        if over:
            await self.engine.pass_seconds(2)
            await self.engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
            await self.engine.beat(fence)
            await self.engine.runs.seal(fence)
            await self.engine.frozen(fence.session_id)
            counted_ms = (await self.engine.session(fence.session_id)).usage.billable_ms
            fitting = replace(product, duration_ms=counted_ms)
            assert await self.engine.freezes.commit(fence.session_id, fence.epoch, fitting)
        return fence.session_id

    async def spoil(self, assignment: str, session_id: UUID, kind: str = "accrual") -> None:
        """Do what the database refuses to everybody: change a row."""
        await self.engine.sql("ALTER TABLE usage_events DISABLE TRIGGER usage_events_append_only")
        await self.engine.sql(
            f"UPDATE usage_events SET {assignment} WHERE session_id = :id AND kind = :kind", id=session_id, kind=kind
        )
        await self.engine.sql("ALTER TABLE usage_events ENABLE ALWAYS TRIGGER usage_events_append_only")

    async def verify(self, *arguments: str) -> tuple[int, str]:
        """Exit code and everything printed, of the command in this process; what asyncio logs meanwhile comes first."""
        self.printed.readouterr()
        code = await asyncio.to_thread(cli.main, ["usage", "verify", *arguments])
        printed = self.printed.readouterr()
        return code, printed.err + printed.out

    async def verify_in_a_process(self, *arguments: str) -> tuple[int, str]:
        """The same as its users run it."""
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "parley", "usage", "verify", *arguments],
            env={**os.environ, **self.settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
async def bill(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Bill]:
    """An organization "acme" without sessions."""
    settings = {
        "PARLEY_DATABASE_URL": database_url,
        "PARLEY_SECRET_KEY": "s" * 32,
        "PARLEY_DATA_DIR": str(tmp_path),
    }
    for name in [name for name in os.environ if name.startswith("PARLEY_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    async with Engine.open(database_url) as engine:
        await engine.sql(
            "INSERT INTO organizations (id, name, default_agent_id) VALUES (:id, 'acme', 'agent_x')", id=UUID(int=1)
        )
        yield Bill(engine, settings, capsys)


async def test_a_right_bill_balances(bill: Bill) -> None:
    """Sessions that are over, running, and erased; exit code 0."""
    await bill.session()
    await bill.session(over=False)
    erased = await bill.session()
    await bill.engine.sql("DELETE FROM sessions WHERE id = :id", id=erased)

    code, told = await bill.verify_in_a_process("--time-zone", "Europe/Berlin")

    assert code == 0, told
    assert "(Europe/Berlin)" in told
    assert "3 sessions balance, 1 of them still running" in told
    assert told.splitlines()[-1] == "Every session balances."


@pytest.mark.parametrize(
    ("assignment", "kind", "sentence"),
    [
        ("credits = credits + 0.001", "accrual", "row 1 says "),
        ("from_ms = 5", "accrual", "the first row begins at 0.005 s instead of 0"),
        ("to_ms = to_ms - 1", "accrual", "the time between them has no row"),
        ("from_ms = from_ms - 1", "final", "the time between them is billed twice"),
        ("kind = 'accrual'", "final", "the session is over, but no row is final"),
        ("to_ms = to_ms + 1", "final", "the session's counter says"),
        ("multiplier = 2", "final", "row 2 multiplies by 2.000, the session by 1.000"),
        ("recorded_at = recorded_at + interval '1 minute'", "accrual", "row 1 was recorded after row 2: late"),
        ("external_customer_id = 'x'", "final", "row 2 bills another agent or customer than the first one"),
    ],
)
async def test_a_wrong_bill_is_named_and_exits_with_1(bill: Bill, assignment: str, kind: str, sentence: str) -> None:
    """By period, and by session."""
    await bill.session()
    wrong = await bill.session()
    await bill.spoil(assignment, wrong, kind)

    code, told = await bill.verify()
    assert code == 1, told
    assert "  1 session balances, 0 of them still running\n  1 session fails to balance:\n" in told
    assert f"    {format_id('sess', wrong)}: " in told
    assert sentence in told
    assert told.splitlines()[-1] == "The bill does NOT balance."

    code, told = await bill.verify("--session", format_id("sess", wrong))
    assert code == 1, told
    assert sentence in told
    assert "does NOT balance" in told


LACKING = replace(
    PRODUCT,
    gaps=[{"start_ms": 500, "end_ms": 2500, "code": "gap.storage"}],
    incomplete=True,
    reason="gap.storage",
)


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("kind = kind", None),
        ("to_ms = to_ms - 1", "row 3 says "),
        ("to_ms = to_ms - 1000, credits = credits + 1", "gap.storage from 0.500 s to "),
        ("code = 'gap.rejoin'", "are given back, but the recording does not say why"),
        ("session_id = gen_random_uuid()", "must be given back, but no row does"),
        ("recorded_at = recorded_at + interval '1 minute'", "something was given back after the final row: late"),
    ],
)
async def test_what_is_given_back_is_computed_again(bill: Bill, assignment: str, sentence: str | None) -> None:
    """From the recording's length and gaps."""
    wrong = await bill.session(product=LACKING)
    await bill.spoil(assignment, wrong, "credit")

    code, told = await bill.verify("--session", format_id("sess", wrong))

    assert code == (0 if sentence is None else 1), told
    assert (sentence or "balances") in told


async def test_a_session_without_any_row_is_found(bill: Bill) -> None:
    """It ran and is over, so it owes a final row."""
    session_id = await bill.session()
    await bill.engine.sql("ALTER TABLE usage_events DISABLE TRIGGER usage_events_append_only")
    await bill.engine.sql("DELETE FROM usage_events")

    code, told = await bill.verify_in_a_process()

    assert code == 1
    assert f"{format_id('sess', session_id)}: the session is over, but no row is final" in told


async def test_one_session_and_other_periods(bill: Bill) -> None:
    """--session, --period, --period-start and --period-end, --organization."""
    session_id = await bill.session(over=False)
    code, told = await bill.verify("--session", f"session_{session_id.hex}")
    assert (code, "is still running; its rows so far balance" in told) == (0, True), told
    code, told = await bill.verify("--period", "previous_month", "--organization", "acme")
    assert (code, "0 sessions balance" in told) == (0, True), told
    code, told = await bill.verify("--period-start", "2020-01-01", "--period-end", "2020-02-01")
    assert (code, "2020-02-01T00:00:00.000Z" in told) == (0, True), told


async def test_what_is_not_there_is_said(bill: Bill) -> None:
    """One line, exit code 2 (1 is for a bill that does not balance), no traceback."""
    for arguments, sentence in [
        ([], "nothing was ever billed"),
        (["--session", "x"], "Invalid session ID"),
        (["--session", format_id("sess", new_uuid())], "there is no such session"),
        (["--organization", "nobody"], "there is no organization 'nobody'"),
        (["--time-zone", "Mars/Olympus"], "IANA time zone"),
        (["--period-start", "2026-01-01"], "both --period-start and --period-end"),
        (["--period-start", "x", "--period-end", "y"], "must be a date"),
        (["--period-start", "2026-01-02", "--period-end", "2026-01-01"], "must be after"),
    ]:
        code, told = await bill.verify(*arguments)
        assert (code, sentence in told, "Traceback" in told) == (2, True, False), told
    code, told = await bill.verify_in_a_process("--session", "x")
    assert (code, "Invalid session ID" in told, told.count("\n"), "Traceback" in told) == (2, True, 1, False), told
