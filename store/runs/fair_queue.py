"""Whose turn it is in the queue: that organization's which has the fewest sessions running, then that agent's.

A session's turn is how many sessions its organization has before it: those that run, and those of the queue that come
first. Within an organization agents take turns in the same way. So one that floods the queue delays its own sessions.

Indexes are read in jumps, from one organization and agent with something in the queue to the next, and of each only the
oldest few: what a look costs depends on how many the process takes, not on how many wait or how long their lines are.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.runs.claimer import Claimer

_TURNS_AT_ONCE = 200  # far more than one process takes, so that several find enough at the same time

_OLDEST = 20  # of each agent, at most
_AGENTS = 50  # of each organization; whoever is beyond comes with the oldest of all
_ORGANIZATIONS = 100  # from any of them on; the next look begins elsewhere
_COUNTED = 1000  # sessions that run; with more, organizations are alike
_FEWEST_LINES = 20  # of organizations that are read; of those with the fewest sessions running
_SLACK = 4  # other processes may have locked what this one could take

_QUEUED = "kind = 'voice' AND status = 'queued'"

_OLDEST_OF_ALL = text(f"SELECT id FROM sessions WHERE {_QUEUED} ORDER BY id LIMIT :most")
_FAIR = text(
    f"""
    WITH RECURSIVE
    pivot AS (
        SELECT coalesce((SELECT id FROM organizations OFFSET floor(random() * (SELECT count(*) FROM organizations))
                         LIMIT 1), '{UUID(int=0)}') AS id
    ), walk (id, wrapped) AS (
        SELECT id, false FROM pivot
        UNION ALL
        SELECT step.* FROM pivot, LATERAL (
            SELECT coalesce(next.id, first.id) AS id, walk.wrapped OR next.id IS NULL AS wrapped
            FROM walk
            LEFT JOIN LATERAL (SELECT organization_id AS id FROM sessions
                               WHERE {_QUEUED} AND organization_id > walk.id ORDER BY organization_id LIMIT 1) AS next
                ON true
            LEFT JOIN LATERAL (SELECT organization_id AS id FROM sessions
                               WHERE {_QUEUED} ORDER BY organization_id LIMIT 1) AS first
                ON next.id IS NULL AND NOT walk.wrapped
        ) AS step
        WHERE step.id IS NOT NULL AND NOT (step.wrapped AND step.id > pivot.id)
    ), organization AS (
        SELECT id FROM walk OFFSET 1 LIMIT {_ORGANIZATIONS}
    ), considered AS (
        SELECT organization.id, :most_joins - coalesce(joining.joins, 0) AS places
        FROM organization
        LEFT JOIN unnest(CAST(:joining AS uuid[]), CAST(:joins AS int[])) AS joining (id, joins) USING (id)
        WHERE :most_joins > coalesce(joining.joins, 0)
    ), running AS MATERIALIZED (
        SELECT considered.id AS organization_id, one.agent_id, count(*) AS sessions
        FROM considered CROSS JOIN LATERAL (
            SELECT agent_id FROM sessions
            WHERE kind = 'voice' AND status IN ('starting', 'running', 'paused') AND organization_id = considered.id
            LIMIT {_COUNTED}
        ) AS one
        GROUP BY considered.id, one.agent_id
    ), admitted AS MATERIALIZED (
        SELECT considered.id, places, coalesce(busy.sessions, 0) AS sessions
        FROM considered LEFT JOIN (
            SELECT organization_id AS id, sum(sessions) AS sessions FROM running GROUP BY organization_id
        ) AS busy USING (id)
        ORDER BY coalesce(busy.sessions, 0) LIMIT :lines
    ), oldest_of_each AS MATERIALIZED (
        SELECT greatest(2, least({_OLDEST}, {_TURNS_AT_ONCE} / 2 / greatest(count(*), 1))) AS sessions FROM admitted
    ), waiting AS (
        SELECT admitted.id AS organization_id, agent.id AS agent_id, oldest.id
        FROM admitted
        CROSS JOIN LATERAL (
            WITH RECURSIVE agents (id) AS (
                (SELECT agent_id FROM sessions WHERE {_QUEUED} AND organization_id = admitted.id
                 ORDER BY agent_id LIMIT 1)
                UNION ALL
                SELECT (SELECT agent_id FROM sessions WHERE {_QUEUED} AND organization_id = admitted.id
                        AND agent_id > agents.id ORDER BY agent_id LIMIT 1)
                FROM agents WHERE agents.id IS NOT NULL
            )
            SELECT id FROM agents LIMIT {_AGENTS}
        ) AS agent
        CROSS JOIN LATERAL (
            SELECT id FROM sessions WHERE {_QUEUED} AND organization_id = admitted.id AND agent_id = agent.id
            ORDER BY organization_id, agent_id, id LIMIT (SELECT sessions FROM oldest_of_each)
        ) AS oldest
        UNION
        SELECT organization_id, agent_id, oldest.id
        FROM (SELECT organization_id, agent_id, id FROM sessions WHERE {_QUEUED} ORDER BY id LIMIT {_TURNS_AT_ONCE})
            AS oldest
        JOIN admitted ON admitted.id = oldest.organization_id
    ), by_agent AS (
        SELECT waiting.*, coalesce(running.sessions, 0)
            + row_number() OVER (PARTITION BY waiting.organization_id, waiting.agent_id ORDER BY waiting.id) AS turn
        FROM waiting LEFT JOIN running USING (organization_id, agent_id)
    ), by_organization AS (
        SELECT id, organization_id,
            row_number() OVER (PARTITION BY organization_id ORDER BY turn, id) AS place
        FROM by_agent
    )
    SELECT by_organization.id
    FROM by_organization
    JOIN admitted ON admitted.id = by_organization.organization_id AND place <= {_SLACK} * admitted.places
    ORDER BY place + admitted.sessions, by_organization.id LIMIT {_TURNS_AT_ONCE}
    """
)


async def find_line(conn: AsyncConnection, claimer: Claimer) -> Sequence[UUID]:
    """The queued sessions that the claimer may take, in their turn; all of them, the oldest first, if it has room."""
    oldest = (await conn.execute(_OLDEST_OF_ALL, {"most": claimer.free + 1})).scalars().all()
    if len(oldest) <= claimer.free:
        return oldest
    joining = {
        "joining": list(claimer.joining),
        "joins": list(claimer.joining.values()),
        "most_joins": claimer.joins_per_organization,
        "lines": max(_FEWEST_LINES, 2 * claimer.free),
    }
    return (await conn.execute(_FAIR, joining)).scalars().all()
