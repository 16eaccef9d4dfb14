"""The operations on API keys."""

from functools import partial

from control_api.api_keys import examples, routes
from control_api.api_keys.models import ApiKeyList, CreateApiKeyRequest, NewApiKey, RotateApiKeyRequest
from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import choice, identifier, page_size

_ALL = "/v1/api_keys"
_ONE = _ALL + "/{key_id}"

_operation = partial(Operation, tag="API keys", scope="keys:manage")

API_KEY_OPERATIONS: tuple[Operation, ...] = (
    _operation(
        name="create_api_key",
        method="POST",
        path=_ALL,
        summary="Create an API key",
        description=(
            "Two types: a master key has full access; an agent key is scoped to a single agent with specific "
            "permissions. The key is shown in this answer only."
        ),
        secret_answer=True,
        handler=routes.create_api_key,
        body=CreateApiKeyRequest,
        request_examples={"for_an_agent": examples.CREATE_AGENT_KEY, "master": {"kind": "master", "name": "ci"}},
        answers=(Answer(201, "The key, shown once.", NewApiKey, examples.NEW_API_KEY, leads_to={"key_id": "id"}),),
        errors=("quota.keys", "agent.not_allowed", "key.outlived", "key.replaced"),
    ),
    _operation(
        name="list_api_keys",
        method="GET",
        path=_ALL,
        summary="List API keys",
        description="Newest first, revoked and expired keys included, without their secrets.",
        handler=routes.list_api_keys,
        query=(
            page_size(),
            identifier("starting_after", "The last id of the page before.", "key"),
        ),
        answers=(Answer(200, "A page of keys.", ApiKeyList, page(examples.API_KEY)),),
    ),
    _operation(
        name="rotate_api_key",
        method="POST",
        path=_ONE + "/rotate",
        summary="Rotate an API key",
        description=(
            "Makes a new key with the scopes and the expiry of the old one; both work for grace_seconds, but the old "
            "one manages no keys from then on (key.replaced). A key is rotated once: then rotate its successor. No "
            "more keys may be in their grace period than the organization may have."
        ),
        secret_answer=True,
        handler=routes.rotate_api_key,
        body=RotateApiKeyRequest,
        body_required=False,
        request_examples={"both_work_for_a_day": {"grace_seconds": 86400}},
        answers=(Answer(201, "The new key, shown once.", NewApiKey, examples.NEW_API_KEY),),
        errors=("quota.keys", "key.not_active", "key.rotated_before", "key.outlived", "key.replaced"),
    ),
    _operation(
        name="revoke_api_key",
        method="DELETE",
        path=_ONE,
        summary="Revoke an API key",
        description=(
            "The key stops working at once and for good. A revoked key stays revoked: 204. With cascade=true, for a "
            "key that has leaked, every key that it made stops, too, and every key that those made; webhook endpoints "
            "that one of them made, or whose URL or secret it set last, are disabled."
        ),
        handler=routes.revoke_api_key,
        query=(choice("cascade", "Whether the keys that it made are revoked, too.", ("true", "false"), "false"),),
        errors=("key.replaced",),
        answers=(Answer(204, "No content"),),
    ),
)
