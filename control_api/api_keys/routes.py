"""`/v1/api_keys`: make, list, rotate and revoke; each only of keys that may do no more than the asking one."""

from collections.abc import Iterable
from datetime import datetime

from aiohttp import web
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from control_api.api_keys.models import ApiKeyList, CreateApiKeyRequest, RotateApiKeyRequest
from control_api.api_keys.presenter import present_api_key, present_new_api_key
from control_api.http.answers.json_answer import json_answer, to_json
from control_api.http.requests.authentication import has_scope, scope_missing
from control_api.http.requests.call import Call
from control_api.http.requests.request_limits import REQUEST_LIMITS
from control_api.http.serving.admission import ANSWER_VAULT
from sessions.errors import ParleyError
from sessions.organizations.key_terms import KeyTerms
from sessions.texts.timestamps import format_timestamp
from store.access.api_keys import ApiKey, Keep, Principal
from store.access.asking_key import key_replaced


async def create_api_key(call: Call) -> web.StreamResponse:
    """201 with the key, which is shown only now."""
    body = call.body_as(CreateApiKeyRequest)
    _check_current(call.principal)
    agent_id = _check(body, call.principal)
    key, secret = await call.dependencies.api_keys.create(
        call.organization_id,
        KeyTerms(body.kind, agent_id, body.scopes, body.name, body.expires_at),
        created_by=call.principal.key_id,
        at_most=call.request.app[REQUEST_LIMITS].of(call.principal).api_keys,
        keep=_keep(call),
    )
    return _shown_once(key, secret)


async def list_api_keys(call: Call) -> web.StreamResponse:
    """A page of keys, newest first."""
    keys, has_more = await call.dependencies.api_keys.page(
        call.organization_id,
        agent_id=call.agent,
        limit=call.query["limit"],
        starting_after=call.query["starting_after"],
    )
    data = [present_api_key(key) for key in keys]
    return json_answer(ApiKeyList.of(data, has_more, lambda last: last.id))


async def rotate_api_key(call: Call) -> web.StreamResponse:
    """201 with the key that takes the place of the old one; for `grace_seconds` both work."""
    keys = call.dependencies.api_keys
    _check_current(call.principal)
    old = await keys.get(call.organization_id, call.api_key_id, agent_id=call.agent)
    _check_scopes(old.scopes, call.principal)
    _check_expiry(old.expires_at, call.principal)
    key, secret = await keys.rotate(
        call.organization_id,
        call.api_key_id,
        grace_seconds=call.body_as(RotateApiKeyRequest).grace_seconds,
        agent_id=call.agent,
        created_by=call.principal.key_id,
        at_most=call.request.app[REQUEST_LIMITS].of(call.principal).api_keys,
        keep=_keep(call),
    )
    return _shown_once(key, secret)


async def revoke_api_key(call: Call) -> web.StreamResponse:
    """Revoke the key at once, and with `cascade` those that it made; 204, also for a key that is revoked already."""
    keys = call.dependencies.api_keys
    _check_current(call.principal)
    found = await keys.get(call.organization_id, call.api_key_id, agent_id=call.agent)
    _check_scopes(found.scopes, call.principal)
    await keys.revoke(
        call.organization_id,
        call.api_key_id,
        agent_id=call.agent,
        cascade=call.query["cascade"] == "true",
        asked_by=call.principal.key_id,
    )
    return web.Response(status=204)


def _check(body: CreateApiKeyRequest, principal: Principal) -> str | None:
    """The new key's agent, once it is clear that the asking key may make such a key."""
    if principal.kind == "agent" and (body.kind, body.agent_id or principal.agent_id) != ("agent", principal.agent_id):
        raise ParleyError("agent.not_allowed", "the API key makes keys for its own agent only", param="agent_id")
    agent_id = body.agent_id or principal.agent_id
    if body.kind == "agent" and agent_id is None:
        raise ParleyError("field.required", "an agent key is for one agent", param="agent_id")
    if body.kind == "agent" and not body.scopes:
        raise ParleyError("field.required", "an agent key has at least one scope", param="scopes")
    if body.kind == "master" and agent_id is not None:
        raise ParleyError("field.invalid", "a master key is for every agent: leave this out", param="agent_id")
    if body.kind == "master" and body.scopes:
        raise ParleyError("field.invalid", "a master key has every scope: leave this out", param="scopes")
    if body.expires_at is not None and body.expires_at <= principal.asked_at:
        raise ParleyError("field.invalid", "must lie ahead", param="expires_at")
    _check_scopes(body.scopes, principal)
    _check_expiry(body.expires_at, principal)
    return agent_id


def _check_current(principal: Principal) -> None:
    if principal.replaced:
        raise key_replaced()


def _check_scopes(scopes: Iterable[str], principal: Principal) -> None:
    for scope in sorted(scopes):
        if not has_scope(principal, scope):
            raise scope_missing(scope)


def _check_expiry(expires_at: datetime | None, principal: Principal) -> None:
    if principal.expires_at is not None and (expires_at is None or expires_at > principal.expires_at):
        latest = format_timestamp(principal.expires_at)
        raise ParleyError("key.outlived", f"the API key expires at {latest}, and so do those that it makes or rotates")


def _keep(call: Call) -> Keep:
    """Keep the answer with the idempotency key, sealed, by the transaction that makes the key."""
    ticket, call.ticket = call.ticket, None

    async def keep(conn: AsyncConnection, key: ApiKey, secret: SecretStr) -> None:
        if ticket is not None:
            answer = to_json(present_new_api_key(key, secret))
            sealed = call.request.app[ANSWER_VAULT].seal(call.organization_id, answer)
            await ticket.store(conn, 201, sealed)

    return keep


def _shown_once(key: ApiKey, secret: SecretStr) -> web.Response:
    return json_answer(present_new_api_key(key, secret), status=201, headers={"Cache-Control": "no-store"})
