"""The kinds of page that `lists` asks for, each through the store and over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from pydantic import SecretStr

from bench.scenes.many_rows import FilledSession
from bench.scenes.many_sessions import (
    FILING_AGENT,
    OTHER_AGENT,
    OTHER_CUSTOMER,
    OTHER_PROJECT,
    OTHER_TAG,
    OTHER_TASK,
    RARE,
    RARE_AGENT,
    RARE_CUSTOMER,
    RARE_PROJECT,
    RARE_TAG,
    RARE_TASK,
)
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import TERMINAL, Status
from store.access.api_keys import ApiKeys
from store.access.vault import TokenVault
from store.database.database import Database
from store.sessions.filter import SessionFilter
from store.sessions.sessions import Sessions
from store.usage.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Filled:
    """A database with `rows` rows of everything; `middle` is the id in the middle of the sessions."""

    url: str
    rows: int
    middle: UUID
    session: FilledSession


@dataclass(frozen=True, slots=True)
class Asked:
    """What the API asks, on one filled database."""

    filled: Filled
    sessions: Sessions
    ledger: Ledger
    api_keys: ApiKeys

    @classmethod
    def on(cls, filled: Filled, db: Database) -> Self:
        """On this database."""
        return cls(filled, Sessions.open(db, TokenVault([SecretStr("b" * 40)])), Ledger(db), ApiKeys(db))


@dataclass(frozen=True, slots=True)
class Page:
    """A kind of page.

    Attributes:
        ask: has the store read it.
        path: of the same page over HTTP.
    """

    name: str
    ask: Callable[[Asked], Awaitable[Any]]
    path: Callable[[Filled], str]


def pages() -> Sequence[Page]:
    """All of them."""
    return [*_session_pages(), *_document_pages(), *_log_pages(), *_bill_pages(), *_key_pages()]


def _session_pages() -> list[Page]:
    oldest = f"{RARE}, oldest"
    return [
        _sessions("newest 20"),
        _sessions("newest 100", limit=100),
        _sessions("20 from the middle", from_the_middle=True),
        _sessions("status=failed (5 %)", status="failed"),
        _sessions(f"status=created ({oldest})", status="created"),
        _sessions("status=terminal (99 %)", status="terminal"),
        _sessions(f"agent_id ({oldest})", agent_id=RARE_AGENT),
        _sessions(f"task_id ({oldest})", task_id=RARE_TASK),
        _sessions(f"project_id ({oldest})", project_id=RARE_PROJECT),
        _sessions(f"external_customer_id ({oldest})", external_customer_id=RARE_CUSTOMER),
        _sessions(f"tag ({oldest})", tag=RARE_TAG),
        _sessions("archived=true (20 %)", archived="true"),
        _sessions("archived=any", archived="any"),
        _sessions("agent_id and status=failed (none)", agent_id=FILING_AGENT, status="failed"),
        _sessions(f"agent_id, archived=false ({oldest})", agent_id=FILING_AGENT),
        _sessions(f"task_id and status=ended ({oldest})", task_id=OTHER_TASK, status="ended"),
        _sessions("project_id and status=ended", project_id=OTHER_PROJECT, status="ended"),
        _sessions("external_customer_id and status=ended", external_customer_id=OTHER_CUSTOMER, status="ended"),
        _sessions("tag and status=ended", tag=OTHER_TAG, status="ended"),
        _sessions("external_customer_id, archived=true (none)", external_customer_id=OTHER_CUSTOMER, archived="true"),
        _sessions("agent_id and external_customer_id", agent_id="", external_customer_id=OTHER_CUSTOMER),
        _sessions("agent_id and task_id", agent_id="", task_id=OTHER_TASK),
        _sessions("agent_id and project_id", agent_id="", project_id=OTHER_PROJECT),
        _sessions("agent_id and tag", agent_id="", tag=OTHER_TAG),
        _sessions("task_id and project_id (none)", task_id=OTHER_TASK, project_id=RARE_PROJECT),
        _sessions("tag and task_id (none)", tag=RARE_TAG, task_id=OTHER_TASK),
    ]


def _document_pages() -> list[Page]:
    agent = "/v1/agents/{}/sessions"
    live = SessionFilter(agent_id=FILING_AGENT)
    filed = SessionFilter(agent_id=FILING_AGENT, archived="true")
    created = SessionFilter(agent_id=OTHER_AGENT, task_id=RARE_TASK, statuses=frozenset({Status.CREATED}))
    return [
        _page("002: newest 100", SessionFilter(), 100, lambda _: "/api/sessions"),
        _page(
            "002: agent_id, task_id, status (none)",
            created,
            100,
            lambda _: f"/api/sessions?agent_id={OTHER_AGENT}&task_id={RARE_TASK}&status=created",
        ),
        _page("004: sessions of an agent that archives", live, 20, lambda _: agent.format(FILING_AGENT)),
        Page(
            "004: archived, of one that doesn't",
            lambda asked: asked.sessions.queries.list(
                asked.filled.session.organization_id,
                SessionFilter(agent_id=asked.filled.session.agent_id, archived="true"),
            ),
            lambda filled: f"{agent.format(filled.session.agent_id)}/archived",
        ),
        _page("004: archived, of one that does", filed, 20, lambda _: f"{agent.format(FILING_AGENT)}/archived"),
    ]


def _log_pages() -> list[Page]:
    def one(filled: Filled) -> str:
        return f"/v1/sessions/{format_id('sess', filled.session.id)}"

    def log(name: str, path: Callable[[Filled], str], *, middle: bool) -> Page:
        def ask(asked: Asked) -> Awaitable[Any]:
            session, after = asked.filled.session, asked.filled.rows // 2 if middle else 0
            return asked.sessions.log.page(session.organization_id, session.id, kind="message", after=after, limit=20)

        return Page(name, ask, lambda filled: f"{path(filled)}?after={filled.rows // 2 if middle else 0}")

    def messages(filled: Filled) -> str:
        return f"{one(filled)}/messages"

    def history(filled: Filled) -> str:
        key = format_id("sess", filled.session.id)
        return f"/v1/agents/{filled.session.agent_id}/sessions/{key}/history"

    return [
        log("messages, first", messages, middle=False),
        log("messages, after the middle", messages, middle=True),
        log("004: history, after the middle", history, middle=True),
        Page(
            "events, after the middle",
            lambda asked: asked.sessions.queries.events(
                asked.filled.session.organization_id, asked.filled.session.id, after=asked.filled.rows // 2
            ),
            lambda filled: f"{one(filled)}/events?after={filled.rows // 2}",
        ),
        Page(
            "the session itself",
            lambda asked: asked.sessions.queries.get(asked.filled.session.organization_id, asked.filled.session.id),
            one,
        ),
    ]


def _bill_pages() -> list[Page]:
    def bill(name: str, *, of_session: bool, middle: bool) -> Page:
        def ask(asked: Asked) -> Awaitable[Any]:
            session = asked.filled.session
            return asked.ledger.events(
                session.organization_id,
                session_id=session.id if of_session else None,
                after=session.bill_row if middle else None,
                limit=20,
            )

        def path(filled: Filled) -> str:
            query = {"limit": "20"}
            if of_session:
                query["session_id"] = format_id("sess", filled.session.id)
            if middle:
                query["after"] = format_id("ue", filled.session.bill_row)
            return f"/v1/usage/events?{urlencode(query)}"

        return Page(name, ask, path)

    return [
        bill("bill, first", of_session=False, middle=False),
        bill("bill, after the middle", of_session=False, middle=True),
        bill("bill of a session", of_session=True, middle=False),
        bill("bill of a session, after the middle", of_session=True, middle=True),
    ]


def _key_pages() -> list[Page]:
    def ask(agent: bool) -> Callable[[Asked], Awaitable[Any]]:
        return lambda asked: asked.api_keys.page(
            asked.filled.session.organization_id,
            agent_id=asked.filled.session.agent_id if agent else None,
            limit=20,
            starting_after=None,
        )

    return [Page("API keys", ask(False), lambda _: "/v1/api_keys"), Page("API keys of an agent", ask(True), _no_path)]


def _no_path(_: Filled) -> str:
    """Only a key of that agent sees this page over HTTP."""
    return ""


def _sessions(name: str, *, limit: int = 20, from_the_middle: bool = False, **query: str) -> Page:
    """A page of `GET /v1/sessions`; an empty `agent_id` is the organization's own agent."""

    def values(filled: Filled) -> dict[str, str]:
        return {key: value or filled.session.agent_id for key, value in query.items()}

    def ask(asked: Asked) -> Awaitable[Any]:
        chosen: dict[str, Any] = values(asked.filled)
        if status := chosen.pop("status", None):
            chosen["statuses"] = TERMINAL if status == "terminal" else frozenset({Status(status)})
        after = asked.filled.middle if from_the_middle else None
        return asked.sessions.queries.list(asked.filled.session.organization_id, SessionFilter(**chosen), limit, after)

    def path(filled: Filled) -> str:
        asked = {"limit": str(limit), **values(filled)}
        if from_the_middle:
            asked["starting_after"] = format_id("sess", filled.middle)
        return f"/v1/sessions?{urlencode(asked)}"

    return Page(name, ask, path)


def _page(name: str, chosen: SessionFilter, limit: int, path: Callable[[Filled], str]) -> Page:
    return Page(
        name, lambda asked: asked.sessions.queries.list(asked.filled.session.organization_id, chosen, limit), path
    )
