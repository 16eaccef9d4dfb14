"""Commands: idempotent, bound to the organization, and the end of every token."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from sessions.destinations.worker_token import WorkerTokenClaims
from sessions.errors import ParleyError
from sessions.ids import new_uuid
from sessions.lifecycle.lifecycle import Status
from store.access.vault import Slot
from tests.integration.store.store_services import TOKEN, StoreServices, new_session, rendered, store_services

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


async def _running(store: StoreServices, **changes: Any) -> UUID:
    session = await store.sessions.creation.create(store.organization_id, new_session(**changes), render=rendered)
    await store.execute(
        "UPDATE sessions SET status = 'running', epoch = 1, started_at = now(), running_since = now() WHERE id = :id",
        id=session.id,
    )
    return session.id


def _claims(room: str, identity: str = "worker") -> WorkerTokenClaims:
    return WorkerTokenClaims(
        identity, room, TOMORROW, can_publish=True, can_publish_data=True, hidden=False, recorder=False
    )


@pytest.mark.parametrize("command", ["end", "cancel"])
async def test_a_session_that_never_ran_is_canceled(database_url: str, command: str) -> None:
    """Directly, without a recording or a job, and its token is gone."""
    async with store_services(database_url) as store:
        session = await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)
        stopped = await getattr(store.sessions.commands, command)(store.organization_id, session.id)
        assert (stopped.status, stopped.recording_state) == (Status.CANCELED, "none")
        assert stopped.finished_at is not None
        assert await store.execute("SELECT 1 FROM worker_tokens") == []
        assert await store.execute("SELECT 1 FROM procrastinate_jobs") == []
        assert await getattr(store.sessions.commands, command)(store.organization_id, session.id) == stopped


@pytest.mark.parametrize(
    ("command", "outcome", "reason"), [("end", "ended", "end.requested"), ("cancel", "canceled", "cancel.requested")]
)
async def test_a_running_session_goes_to_ending(database_url: str, command: str, outcome: str, reason: str) -> None:
    """The outcome is fixed, both tokens are erased, the finalize job is deferred; the first command stays."""
    async with store_services(database_url) as store:
        session_id = await _running(store)
        await store.execute(
            "INSERT INTO worker_tokens SELECT session_id, 'refreshed', sealed, expires_at FROM worker_tokens"
        )
        stopped = await getattr(store.sessions.commands, command)(store.organization_id, session_id)
        assert (stopped.status, stopped.outcome, stopped.end_reason) == (Status.ENDING, outcome, reason)
        assert stopped.ending_at is not None
        assert await store.execute("SELECT 1 FROM worker_tokens") == []
        assert await store.execute("SELECT task_name, args->>'session_id' FROM procrastinate_jobs") == [
            ("recordings.finalize", str(session_id))
        ]
        assert await store.sessions.commands.cancel(store.organization_id, session_id) == stopped


async def test_another_organization_finds_nothing(database_url: str) -> None:
    """Every operation answers the same 404 as for an id that never was, and changes nothing."""
    async with store_services(database_url) as store:
        session = await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)
        stranger, read, commands = new_uuid(), store.sessions.queries, store.sessions.commands
        for organization_id, session_id in ((stranger, session.id), (store.organization_id, new_uuid())):
            for call in (read.get, commands.end, commands.cancel, read.events, read.timeline, read.recording):
                with pytest.raises(ParleyError) as caught:
                    await call(organization_id, session_id)
                assert (caught.value.code, caught.value.extra) == ("not_found", {})
            with pytest.raises(ParleyError) as caught:
                await commands.replace_token(organization_id, session_id, TOKEN, _claims("r"))
            assert caught.value.code == "not_found"
        assert await read.get(store.organization_id, session.id) == session


async def test_a_replaced_token_is_the_one_that_counts(database_url: str) -> None:
    """The new token takes the old one's place, with its expiry, and raises the version."""
    async with store_services(database_url) as store:
        session = await store.sessions.creation.create(
            store.organization_id, new_session(room_name="r"), render=rendered
        )
        token = SecretStr("eyJ.new.token")
        replaced = await store.sessions.commands.replace_token(store.organization_id, session.id, token, _claims("r"))
        assert replaced.version == session.version + 1
        [(sealed, expires_at)] = await store.execute("SELECT sealed, expires_at FROM worker_tokens")
        assert (store.vault.open(session.id, Slot.CUSTOMER, sealed), expires_at) == (token, TOMORROW)
        assert await store.execute("SELECT token_expires_at FROM sessions") == [(TOMORROW,)]


async def test_a_replaced_token_outdoes_one_that_the_server_refreshed(database_url: str) -> None:
    """The refreshed one was made from the token that the customer has just replaced, and may live longer."""
    async with store_services(database_url) as store:
        session = await store.sessions.creation.create(
            store.organization_id, new_session(room_name="r"), render=rendered
        )
        await store.execute(
            "INSERT INTO worker_tokens SELECT session_id, 'refreshed', sealed, expires_at + interval '9 days'"
            " FROM worker_tokens"
        )
        await store.sessions.commands.replace_token(store.organization_id, session.id, TOKEN, _claims("r"))
        assert await store.execute("SELECT slot FROM worker_tokens") == [("customer",)]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (_claims("another"), "worker_token.wrong_room"),
        (_claims("r", "another"), "worker_token.identity_mismatch"),
    ],
)
async def test_a_token_for_something_else_is_refused(database_url: str, claims: WorkerTokenClaims, code: str) -> None:
    """Same room and same identity only; the old token stays."""
    async with store_services(database_url) as store:
        session = await store.sessions.creation.create(
            store.organization_id, new_session(room_name="r"), render=rendered
        )
        with pytest.raises(ParleyError) as caught:
            await store.sessions.commands.replace_token(store.organization_id, session.id, SecretStr("eyJ.x.y"), claims)
        assert caught.value.code == code
        [(sealed,)] = await store.execute("SELECT sealed FROM worker_tokens")
        assert store.vault.open(session.id, Slot.CUSTOMER, sealed) == TOKEN


async def test_a_settled_session_takes_no_token(database_url: str) -> None:
    """What has been erased stays erased."""
    async with store_services(database_url) as store:
        session_id = await _running(store, room_name="r")
        await store.sessions.commands.end(store.organization_id, session_id)
        with pytest.raises(ParleyError) as caught:
            await store.sessions.commands.replace_token(store.organization_id, session_id, TOKEN, _claims("r"))
        assert caught.value.code == "transition.invalid"
        assert await store.execute("SELECT 1 FROM worker_tokens") == []


async def test_events_are_paged_by_their_number(database_url: str) -> None:
    """`after` and `limit` walk the log once."""
    async with store_services(database_url) as store:
        session = await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)
        await store.sessions.commands.end(store.organization_id, session.id)
        first, more = await store.sessions.queries.events(store.organization_id, session.id, 0, 2)
        rest, end = await store.sessions.queries.events(store.organization_id, session.id, first[-1].seq, 2)
        assert ([e.type for e in first], more) == (["session.created", "session.queued"], True)
        assert ([(e.type, e.code, e.fault) for e in rest], end) == (
            [("transcript.none", None, None), ("session.canceled", "end.requested", "none")],
            False,
        )
