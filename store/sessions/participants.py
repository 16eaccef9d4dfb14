"""Who was in the rooms of sessions: for a page of them in one statement, with who is heard; and what each is called."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.session import SessionParticipant, SessionParticipants

MOST = 8
_STAYS = 50  # that are looked at: who comes back often counts once
_TRACKS = 200

# By the index of these events alone, so a session of a thousand messages costs no more than one of ten.
_PARTICIPANTS = text(
    f"""
    SELECT wanted.id, stays.data, recordings.committed_at IS NOT NULL AS is_recorded,
           jsonb_path_query_array(
               recordings.tracks, '$[0 to {_TRACKS - 1}] ? (@.side == "room" && @.samples > 0).identity'
           ) AS heard
    FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
    LEFT JOIN recordings ON recordings.session_id = wanted.id AND recordings.committed_at IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_array(data -> 'identity', data -> 'name', data -> 'kind') ORDER BY seq) AS data
        FROM (
            SELECT seq, data FROM session_events
            WHERE session_id = wanted.id AND type = 'participant.joined' ORDER BY seq LIMIT {_STAYS}
        ) AS joined
    ) AS stays ON true
    """
)


# Of who came several times, the name of the first time, as above.
_NAMES = text(
    """
    SELECT DISTINCT ON (data ->> 'identity') data ->> 'identity' AS identity, data ->> 'name' AS name
    FROM session_events WHERE session_id = :id AND type = 'participant.joined'
    ORDER BY data ->> 'identity', seq
    """
)


async def participants_of(conn: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, SessionParticipants]:
    """The participants of each of these sessions, those who came first before the others."""
    found = await conn.execute(_PARTICIPANTS, {"ids": list(ids)})
    return {row.id: _participants(row.data or [], row.heard or [], is_recorded=row.is_recorded) for row in found}


async def names_of(conn: AsyncConnection, session_id: UUID) -> dict[str, str | None]:
    """What each participant of the session is called, by identity; as many as were told (PARLEY_PARTICIPANT_EVENTS)."""
    found = await conn.execute(_NAMES, {"id": session_id})
    return {row.identity: row.name for row in found}


def _participants(stays: Sequence[Any], heard: Sequence[str], *, is_recorded: bool) -> SessionParticipants:
    audible = set(heard)
    known: dict[str, tuple[str | None, str | None]] = {}
    for identity, name, kind in stays:
        known.setdefault(identity, (name, kind))
    for identity in heard:  # who came before it was told, or when no more was told
        known.setdefault(identity, (None, None))
    first = tuple(
        SessionParticipant(identity, name, kind, heard=identity in audible if is_recorded else None)
        for identity, (name, kind) in known.items()
    )
    return SessionParticipants(first[:MOST], has_more=len(first) > MOST or len(stays) == _STAYS)
