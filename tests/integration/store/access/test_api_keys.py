"""API keys: one indexed query, nothing secret at rest, revoked means revoked."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr

from sessions.errors import DatabaseUnavailableError, ParleyError
from sessions.ids import new_uuid
from sessions.organizations.key_terms import SCOPES, KeyTerms
from store.access.api_keys import ApiKeys
from store.database.database import Database
from tests.integration.store.store_services import dump_of_everything, store_services


async def _code(keys: ApiKeys, secret: str) -> str:
    with pytest.raises(ParleyError) as caught:
        await keys.authenticate(secret)
    return caught.value.code


async def test_a_new_key_authenticates_its_organization(database_url: str) -> None:
    """The secret has its prefix and 256 bits, and a master key every scope."""
    async with store_services(database_url) as store:
        key, secret = await store.api_keys.create("acme", KeyTerms(name="ci"))
        assert len(secret.get_secret_value()) == len("parley_master_") + 43
        assert secret.get_secret_value().startswith("parley_master_")
        principal = await store.api_keys.authenticate(secret.get_secret_value())
        assert (principal.organization_id, principal.key_id) == (key.organization_id, key.id)
        assert (principal.kind, principal.agent_id, principal.scopes) == ("master", None, SCOPES)
        assert key.organization_id != store.organization_id
        [(default_agent,)] = await store.execute("SELECT default_agent_id FROM organizations WHERE name = 'acme'")
        assert len(default_agent) == len("agent_") + 32


async def test_an_agent_key_has_its_agent_and_scopes_only(database_url: str) -> None:
    """Nothing is added to what was asked for, and an unknown scope is refused."""
    async with store_services(database_url) as store:
        _, secret = await store.api_keys.create(
            "acme", KeyTerms(kind="agent", agent_id="agent_7", scopes=["sessions:read"])
        )
        principal = await store.api_keys.authenticate(secret.get_secret_value())
        assert (principal.kind, principal.agent_id) == ("agent", "agent_7")
        assert principal.scopes == {"sessions:read"}
        with pytest.raises(ValueError, match="scopes"):
            await store.api_keys.create("acme", KeyTerms(kind="agent", agent_id="agent_7", scopes=["everything"]))


async def test_a_secret_is_nowhere_at_rest(database_url: str) -> None:
    """The database can't be read for keys."""
    async with store_services(database_url) as store:
        _, secret = await store.api_keys.create("acme")
        await store.api_keys.authenticate(secret.get_secret_value())
    dump = dump_of_everything(database_url)
    assert "acme" in dump
    assert secret.get_secret_value() not in dump
    assert secret.get_secret_value().encode().hex() not in dump


@pytest.mark.parametrize("secret", ["", "x", "parley_master_" + "A" * 43, "ключ", "a\x00b", "x" * 100_000])
async def test_an_unknown_key_is_refused(database_url: str, secret: str) -> None:
    """Whatever was sent, with the same words."""
    async with store_services(database_url) as store:
        assert await _code(store.api_keys, secret) == "key.invalid"


async def test_expired_and_revoked_keys_are_refused(database_url: str) -> None:
    """And a key that was revoked twice keeps its first time."""
    async with store_services(database_url) as store:
        _, expired = await store.api_keys.create("acme", KeyTerms(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        assert await _code(store.api_keys, expired.get_secret_value()) == "key.invalid"
        key, secret = await store.api_keys.create("acme")
        await store.api_keys.authenticate(secret.get_secret_value())
        [revoked] = await store.api_keys.revoke(key.organization_id, key.id)
        assert await _code(store.api_keys, secret.get_secret_value()) == "key.invalid"
        assert await store.api_keys.revoke(key.organization_id, key.id) == [revoked]
        assert revoked in await store.api_keys.list(key.organization_id)


async def test_another_process_knows_of_a_revocation_and_a_rotation_at_once(database_url: str) -> None:
    """It remembers nothing of a key that it has just seen."""
    async with store_services(database_url) as one, store_services(database_url) as two:
        key, secret = await one.api_keys.create("acme")
        rotated, old = await one.api_keys.create("acme")
        for known in (secret, old):
            await two.api_keys.authenticate(known.get_secret_value())
        await one.api_keys.revoke(key.organization_id, key.id)
        assert await _code(two.api_keys, secret.get_secret_value()) == "key.invalid"
        _, new = await one.api_keys.rotate(rotated.organization_id, rotated.id, grace_seconds=0)
        assert await _code(two.api_keys, old.get_secret_value()) == "key.invalid"
        await two.api_keys.authenticate(new.get_secret_value())


async def test_after_the_grace_period_only_the_new_key_works(database_url: str) -> None:
    """Within it both do; the time itself is what is tested."""
    async with store_services(database_url) as store:
        key, old = await store.api_keys.create("acme")
        _, new = await store.api_keys.rotate(key.organization_id, key.id, grace_seconds=1)
        for secret in (old, new):
            await store.api_keys.authenticate(secret.get_secret_value())
        await asyncio.sleep(1.1)
        assert await _code(store.api_keys, old.get_secret_value()) == "key.invalid"
        await store.api_keys.authenticate(new.get_secret_value())


async def test_another_organization_can_t_revoke_a_key(database_url: str) -> None:
    """It doesn't exist for them."""
    async with store_services(database_url) as store:
        key, secret = await store.api_keys.create("acme")
        with pytest.raises(ParleyError) as caught:
            await store.api_keys.revoke(new_uuid(), key.id)
        assert caught.value.code == "not_found"
        await store.api_keys.authenticate(secret.get_secret_value())


async def test_the_given_master_key_is_accepted_once_and_for_all(database_url: str) -> None:
    """Every start makes sure of it, also several at once; it is one key, and stays revoked once it was."""
    async with store_services(database_url) as store:
        mine = SecretStr("chosen by the operator")
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(store.api_keys.ensure_master(mine))
        principal = await store.api_keys.authenticate(mine.get_secret_value())
        assert principal.organization_id == store.organization_id
        assert len(await store.api_keys.list(store.organization_id)) == 2
        await store.api_keys.revoke(store.organization_id, principal.key_id)
        await store.api_keys.ensure_master(mine)
        assert await _code(store.api_keys, mine.get_secret_value()) == "key.invalid"


async def test_the_last_use_is_noted_once_a_minute(database_url: str) -> None:
    """Not for every request; and a lock on the key's row holds up nobody."""
    async with store_services(database_url) as store:
        key, secret = await store.api_keys.create("acme")
        read = "SELECT last_used_at FROM api_keys WHERE id = :id"
        await store.api_keys.authenticate(secret.get_secret_value())
        first = await store.execute(read, id=key.id)
        await store.api_keys.authenticate(secret.get_secret_value())
        assert await store.execute(read, id=key.id) == first != [(None,)]
        await store.execute("UPDATE api_keys SET last_used_at = last_used_at - interval '61 seconds'")
        async with store_services(database_url) as other, other.db.begin() as conn:
            await conn.exec_driver_sql("SELECT 1 FROM api_keys FOR UPDATE")
            async with asyncio.timeout(2):
                await store.api_keys.authenticate(secret.get_secret_value())
        await store.api_keys.authenticate(secret.get_secret_value())
        assert await store.execute(read, id=key.id) > first


async def test_a_database_that_is_away_is_no_invalid_key() -> None:
    """401 would make clients throw good keys away."""
    url = "postgresql://parley@127.0.0.1:1/nowhere"
    async with Database.open(url, timeout_seconds=1, application_name="test") as db:
        with pytest.raises(DatabaseUnavailableError):
            await ApiKeys(db).authenticate("parley_master_x")


async def test_a_key_stops_at_its_expiry(database_url: str) -> None:
    """Also one that has just been used."""
    async with store_services(database_url) as store:
        _, secret = await store.api_keys.create("acme", KeyTerms(expires_at=datetime.now(UTC) + timedelta(seconds=1.5)))
        await store.api_keys.authenticate(secret.get_secret_value())
        await asyncio.sleep(1.6)
        assert await _code(store.api_keys, secret.get_secret_value()) == "key.invalid"


async def test_keys_that_are_made_at_the_same_time_are_made_or_refused(database_url: str) -> None:
    """Nobody gets in another's way: as many as are allowed, and the count for the others."""
    async with store_services(database_url) as store:
        key, _ = await store.api_keys.create("acme")

        async def make() -> str:
            try:
                await store.api_keys.create(key.organization_id, created_by=key.id, at_most=4)
            except ParleyError as error:
                return f"{error.code} {error.extra['used']}"
            return "made"

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(make()) for _ in range(8)]
        assert sorted(task.result() for task in tasks) == ["made"] * 3 + ["quota.keys 4"] * 5
        assert await store.api_keys.count(key.organization_id) == 4


async def test_rotating_makes_no_more_keys_than_there_may_be_twice(database_url: str) -> None:
    """Neither one key again and again, nor one successor after the other; without a grace period it always works."""
    async with store_services(database_url) as store:
        keys = [(await store.api_keys.create("acme"))[0] for _ in range(2)]
        mine = keys[0].organization_id

        async def rotate(key_id: UUID, grace_seconds: int = 600) -> UUID | str:
            try:
                return (await store.api_keys.rotate(mine, key_id, grace_seconds=grace_seconds, at_most=2))[0].id
            except ParleyError as error:
                return error.code

        newest = await rotate(keys[0].id)
        assert await rotate(keys[0].id) == "key.rotated_before"
        assert isinstance(newest, UUID)
        newest = await rotate(newest)
        assert isinstance(newest, UUID)
        assert [await rotate(newest), await rotate(keys[1].id)] == ["quota.keys"] * 2
        assert await store.api_keys.count(mine) == 4
        assert isinstance(await rotate(newest, 0), UUID)
        assert await store.api_keys.count(mine) == 4
