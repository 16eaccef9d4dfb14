"""The sessions of an organization, as the API creates, reads and commands them."""

from dataclasses import dataclass

from store.access.vault import TokenVault
from store.database.database import Database
from store.sessions.commands import SessionCommands
from store.sessions.creation import SessionCreation
from store.sessions.edits import SessionEdits
from store.sessions.log.session_log import SessionLog
from store.sessions.log.session_messages import SessionMessages
from store.sessions.queries import SessionQueries
from store.sessions.task_sessions import TaskSessions


@dataclass(frozen=True, slots=True)
class Sessions:
    """One service for each thing that the API does with sessions; tokens go in and never come out.

    Every method that names an organization raises `ParleyError` `not_found` for a session that the organization doesn't
    have, and `DatabaseUnavailableError`.
    """

    creation: SessionCreation
    queries: SessionQueries
    commands: SessionCommands
    edits: SessionEdits
    messages: SessionMessages
    log: SessionLog
    tasks: TaskSessions

    @classmethod
    def open(cls, db: Database, vault: TokenVault) -> "Sessions":
        """All of them on one database."""
        return cls(
            creation=SessionCreation(db, vault),
            queries=SessionQueries(db),
            commands=SessionCommands(db, vault),
            edits=SessionEdits(db),
            messages=SessionMessages(db),
            log=SessionLog(db),
            tasks=TaskSessions(db, vault),
        )
