"""What is erased does not stay in PostgreSQL's statistics."""

from tests.support.running.engine import Engine


async def test_analyzing_keeps_nothing_of_what_was_written(engine: Engine) -> None:
    """Words that many sessions share, which ANALYZE would keep as common values; what queries filter by has some."""
    for number in range(12):
        session_id = await engine.new_session(
            title="canary title", prompt="canary prompt", preview=f"canary {number % 3}"
        )
        await engine.sql(
            "INSERT INTO log_entries (session_id, seq, id, kind, role, text, speaker, source, created_at)"
            " VALUES (:id, 1, gen_random_uuid(), 'message', 'user', 'canary text', 'canary speaker', 'api', now())",
            id=session_id,
        )
    await engine.sql("ANALYZE sessions, log_entries")
    kept = await engine.sql(
        "SELECT tablename, attname, most_common_vals::text AS common, histogram_bounds::text AS bounds FROM pg_stats"
        " WHERE tablename IN ('sessions', 'log_entries')"
    )
    assert {"status", "agent_id"} <= {row.attname for row in kept}
    assert [row.attname for row in kept if "canary" in f"{row.common} {row.bounds}"] == []
