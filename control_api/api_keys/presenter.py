"""From a stored API key to the resource that clients read."""

from typing import Any

from pydantic import SecretStr

from control_api.api_keys.models import ApiKeyResource, NewApiKey
from sessions.ids import format_id
from sessions.texts.timestamps import format_timestamp
from store.access.api_keys import ApiKey


def present_api_key(key: ApiKey) -> ApiKeyResource:
    """The key without its secret."""
    return ApiKeyResource.model_validate(_members(key))


def present_new_api_key(key: ApiKey, secret: SecretStr) -> NewApiKey:
    """The key with its secret."""
    return NewApiKey.model_validate({**_members(key), "key": secret.get_secret_value()})


def _members(key: ApiKey) -> dict[str, Any]:
    return {
        "id": format_id("key", key.id),
        "object": "api_key",
        "organization_id": format_id("org", key.organization_id),
        "kind": key.kind,
        "agent_id": key.agent_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "prefix": key.prefix,
        "last_four": key.last_four,
        "created_at": format_timestamp(key.created_at),
        "expires_at": format_timestamp(key.expires_at),
        "revoked_at": format_timestamp(key.revoked_at),
        "last_used_at": format_timestamp(key.last_used_at),
        "created_by": None if key.created_by is None else format_id("key", key.created_by),
        "replaced_by": None if key.replaced_by is None else format_id("key", key.replaced_by),
    }
