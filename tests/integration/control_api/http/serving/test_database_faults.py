"""What clients are told of an error of the database, by its class; and who is busy is asked again by the server."""

import asyncio

import pytest

from control_api.http.serving.readiness import FRESH_SECONDS
from tests.support.running.api_server import ApiServer, create_body

# As often as `times` says; a sequence counts, as it isn't rolled back.
FAULT = """
    CREATE SEQUENCE raised;
    CREATE FUNCTION raise_fault() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('raised') <= {times} THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{sqlstate}'; END IF;
            RETURN NEW;
        END $$;
    CREATE TRIGGER fault BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION raise_fault()
"""


async def _break(api: ApiServer, table: str, sqlstate: str, times: int) -> None:
    async with api.dependencies.db.begin() as conn:
        await conn.exec_driver_sql(FAULT.format(table=table, sqlstate=sqlstate, times=times))


@pytest.mark.parametrize(
    ("sqlstate", "times", "answers"),
    [
        ("25006", 1, [(503, "database.unavailable"), (201, None)]),
        ("53100", 1, [(503, "database.unavailable"), (201, None)]),
        ("42501", 1, [(500, "internal"), (201, None)]),
        ("23514", 1, [(500, "internal"), (201, None)]),
        ("40001", 2, [(201, None)]),
        ("40P01", 4, [(503, "database.unavailable"), (201, None)]),
    ],
)
async def test_a_client_is_told_whether_to_repeat(
    api: ApiServer, sqlstate: str, times: int, answers: list[tuple[int, str | None]]
) -> None:
    """503 for what passes, 500 for what is our fault; and the key of a request that failed is free again."""
    await _break(api, "sessions", sqlstate, times)
    body, headers, came = create_body("room"), {"Idempotency-Key": "once"}, []
    for _ in answers:
        reply = await api.call("POST", "/v1/sessions", body, headers=headers)
        came.append((reply.status, reply.content["error"]["code"] if reply.status >= 400 else None))
    repeated = await api.call("POST", "/v1/sessions", body, headers=headers)

    assert came == answers
    assert (repeated.status, repeated.content["id"]) == (201, reply.content["id"])


@pytest.mark.parametrize("sqlstate", ["25006", "42501"])
async def test_a_server_whose_database_takes_no_writes_is_not_ready(api: ApiServer, sqlstate: str) -> None:
    """Whatever reads say; it is again as soon as one write works."""
    await _break(api, "sweeps", sqlstate, 1_000_000)
    await asyncio.sleep(1.1 * FRESH_SECONDS)
    reply = await api.call("GET", "/readyz", key=None)
    reading = await api.call("GET", "/v1/sessions")
    async with api.dependencies.db.begin() as conn:
        await conn.exec_driver_sql("DROP TRIGGER fault ON sweeps")
    await asyncio.sleep(1.1 * FRESH_SECONDS)

    assert (reply.status, reply.code, reading.status) == (503, "database.unavailable", 200)
    assert (await api.call("GET", "/readyz", key=None)).status == 200
