"""What an erased session leaves in the log: that something happened, and when; not what was said, and no name."""

from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.events.event_types import CONTENT_FACTS

# The inbox first: a row that is being numbered is waited for there, and found among the events then.
_SCRUB = [
    text(
        f"""
        UPDATE {table} SET facts = facts - :content,
            session = session || '{{"metadata": {{}}, "error_message": null, "task_id": null, "project_id": null}}'
        WHERE session_id = :session_id
        """
    ).bindparams(bindparam("content", type_=ARRAY(TEXT)))
    for table in ("event_inbox", "events")
]


async def scrub_events(conn: AsyncConnection, session_id: UUID) -> None:
    """Take content out of every event of a session whose row this transaction holds: nobody appends another one."""
    for statement in _SCRUB:
        await conn.execute(statement, {"session_id": session_id, "content": sorted(CONTENT_FACTS)})
