"""`GET /v1/sessions/{id}/receipt`: what a session costs, and why."""

import tracemalloc
from dataclasses import replace

import pytest

from sessions.ids import format_id
from sessions.lifecycle.stop import Stop
from tests.support.running.api_server import ApiServer
from tests.support.running.engine import PRODUCT, Engine

TRACK = {
    "identity": "ann",
    "name": "microphone",
    "sid": "TR_1",
    "side": "room",
    "first_sample": 0,
    "samples": 336_000,
    "frames": 700,
}
GAPS = [
    {"start_ms": 1000, "end_ms": 3000, "code": "gap.storage"},
    {"start_ms": 2000, "end_ms": 4000, "code": "gap.storage"},
    {"start_ms": 5000, "end_ms": 5500, "code": "gap.overflow"},
]

_MANY = 4_000
_MORE_ROWS = """
INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, from_ms, to_ms, quality, multiplier, credits,
        agent_id, external_customer_id, recorded_at)
    SELECT gen_random_uuid(), session_id, organization_id, epoch, 'accrual', to_ms + 2 * i, to_ms + 2 * i + 1, quality,
        multiplier, 0.001 * multiplier, agent_id, external_customer_id, clock_timestamp()
    FROM usage_events, generate_series(CAST(:first AS int), CAST(:last AS int)) i WHERE id = :id
"""

ABSENCES = [{"start_ms": 2000, "end_ms": 5000}, {"start_ms": 9000, "end_ms": 10_000}]


async def _ended(engine: Engine) -> str:
    """A session of ten seconds whose recording lacks three of them, and half a second of a stream; at times nobody was
    there.
    """
    [organization] = await engine.sql("SELECT id FROM organizations")
    fence = await engine.running(organization_id=organization.id)
    await engine.pass_seconds(10)
    await engine.beat(fence)
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.runs.seal(fence)
    await engine.frozen(fence.session_id)
    counted_ms = (await engine.session(fence.session_id)).usage.billable_ms
    product = replace(
        PRODUCT,
        duration_ms=counted_ms,
        tracks=[TRACK],
        gaps=GAPS,
        absences=ABSENCES,
        incomplete=True,
        reason="gap.storage",
    )
    assert await engine.freezes.commit(fence.session_id, fence.epoch, product)
    return format_id("sess", fence.session_id)


async def test_a_receipt_puts_clock_recording_gaps_and_bill_side_by_side(api: ApiServer, database_url: str) -> None:
    """What we lost is given back, the empty room too, what the customer lost is paid, and it balances."""
    async with Engine.open(database_url) as engine:
        session_id = await _ended(engine)
    await api.come(session_id, ["ann"])

    receipt = (await api.call("GET", f"/v1/sessions/{session_id}/receipt")).content

    assert receipt["balances"], receipt["imbalances"]
    assert (receipt["provisional"], receipt["imbalances"]) == (False, [])
    assert receipt["recording"] == {"state": "incomplete", "milliseconds": receipt["billed"]["counted_ms"]}
    ann = {"identity": "ann", "participant_name": "Ann", "name": "microphone", "side": "room", "milliseconds": 7000}
    assert receipt["heard"] == [ann]
    billed = receipt["billed"]
    storage, overflow = sorted(receipt["gaps"], key=lambda gap: str(gap["fault"]), reverse=True)
    assert (storage["code"], storage["milliseconds"]) == ("gap.storage", 3000)
    assert overflow == {"code": "gap.overflow", "fault": "customer", "milliseconds": 500, "credited_ms": 0}
    assert 2998 <= storage["credited_ms"] <= 3000
    assert receipt["absences"] == {"milliseconds": 4000, "credited_ms": 2000}
    assert billed["credited_ms"] == storage["credited_ms"] + 2000
    assert 10_000 <= receipt["clock"]["milliseconds"] < 11_000
    assert billed["milliseconds"] == billed["counted_ms"] - billed["credited_ms"]
    assert billed["credits"] == f"{billed['milliseconds'] / 1000:.3f}"
    session = (await api.call("GET", f"/v1/sessions/{session_id}")).content
    assert session["usage"]["billable_ms"] == billed["counted_ms"]
    assert session["usage"]["credited_ms"] == billed["credited_ms"]


async def test_who_may_read_the_bill_alone_is_told_no_names(api: ApiServer, database_url: str) -> None:
    """What people are called is content."""
    async with Engine.open(database_url) as engine:
        session_id = await _ended(engine)
    await api.come(session_id, ["ann"])
    agent_id = (await api.call("GET", f"/v1/sessions/{session_id}")).content["agent_id"]
    body = {"kind": "agent", "agent_id": agent_id, "scopes": ["usage:read"]}
    accountant = (await api.call("POST", "/v1/api_keys", body)).content["key"]

    [heard] = (await api.call("GET", f"/v1/sessions/{session_id}/receipt", key=accountant)).content["heard"]

    assert (heard["identity"], heard["participant_name"]) == ("ann", None)


@pytest.mark.parametrize("column", ["gaps", "absences"])
async def test_a_receipt_says_what_is_wrong(api: ApiServer, database_url: str, column: str) -> None:
    """A recording that was changed behind the bill's back does not balance."""
    async with Engine.open(database_url) as engine:
        session_id = await _ended(engine)
        await engine.sql(f"UPDATE recordings SET {column} = '[]'")

    receipt = (await api.call("GET", f"/v1/sessions/{session_id}/receipt")).content

    assert not receipt["balances"]
    assert "the recording does not say why" in "; ".join(receipt["imbalances"])


async def test_a_long_bill_is_read_without_being_held(api: ApiServer, database_url: str) -> None:
    """What a receipt takes does not grow with the rows that it adds up, right or wrong."""
    async with Engine.open(database_url) as engine:
        session_id = await _ended(engine)
        right = (await api.call("GET", f"/v1/sessions/{session_id}/receipt")).content
        [row] = await engine.sql("SELECT * FROM usage_events WHERE kind = 'final'")
        peaks = []
        for first, last in ((1, 1_000), (1_001, _MANY)):
            await engine.sql(_MORE_ROWS, id=row.id, first=first, last=last)
            await api.call("GET", f"/v1/sessions/{session_id}/receipt")
            tracemalloc.start()
            receipt = (await api.call("GET", f"/v1/sessions/{session_id}/receipt")).content
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    assert receipt["billed"]["counted_ms"] == right["billed"]["counted_ms"] + _MANY
    assert not receipt["balances"]
    assert f"… and {_MANY - 20} more like these" in receipt["imbalances"], "wrong from end to end, said in some words"
    assert peaks[1] < peaks[0] + (1 << 19), peaks


async def test_a_session_that_goes_on_has_a_provisional_receipt(api: ApiServer) -> None:
    """Nothing is known yet, and nothing is wrong."""
    made = await api.create("room")

    receipt = (await api.call("GET", f"/v1/sessions/{made['id']}/receipt")).content

    assert (receipt["provisional"], receipt["balances"], receipt["gaps"], receipt["heard"]) == (True, True, [], [])
    assert receipt["clock"] == {"started_at": None, "ending_at": None, "milliseconds": None}
    assert receipt["billed"]["credits"] == "0.000"
    assert receipt["absences"] == {"milliseconds": 0, "credited_ms": 0}
