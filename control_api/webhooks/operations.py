"""The operations on webhook endpoints and deliveries."""

from functools import partial
from typing import get_args

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation, command
from control_api.http.requests.query_parameters import choice, identifier, integer, page_size
from control_api.webhooks import delivery_routes, endpoint_routes, examples
from control_api.webhooks.models import (
    CreateWebhookEndpointRequest,
    DeliveryList,
    DeliveryResource,
    NewWebhookEndpoint,
    ReplayRequest,
    UpdateWebhookEndpointRequest,
    WebhookEndpointList,
    WebhookEndpointResource,
)
from store.webhooks.endpoint import DeliveryState
from store.webhooks.endpoints import MAX_ENDPOINTS, OLD_SECRET_HOURS

_ALL = "/v1/webhook_endpoints"
_ONE = _ALL + "/{endpoint_id}"
_READS = "sessions:read, where events have content, else sessions:read_metadata"

_operation = partial(Operation, tag="Webhooks", scope="webhooks:manage")
_command = partial(command, tag="Webhooks", scope="webhooks:manage")

WEBHOOK_OPERATIONS: tuple[Operation, ...] = (
    _operation(
        name="create_webhook_endpoint",
        method="POST",
        path=_ALL,
        summary="Create a webhook endpoint",
        description=(
            "Events that happen from now on are posted to it, signed by Standard Webhooks. The secret is shown in this "
            f"answer only. At most {MAX_ENDPOINTS} per organization. An agent's key makes endpoints of its agent. "
            "The key needs sessions:read_metadata, too; with sessions:read events have content."
        ),
        secret_answer=True,
        handler=endpoint_routes.create_webhook_endpoint,
        body=CreateWebhookEndpointRequest,
        request_examples={"some_events": examples.CREATE, "all_events": {"url": "https://hooks.example.com/parley"}},
        answers=(
            Answer(
                201,
                "The endpoint with its secret, shown once.",
                NewWebhookEndpoint,
                examples.NEW_ENDPOINT,
                leads_to={"endpoint_id": "id"},
            ),
        ),
        errors=("agent.not_allowed", "webhook.url_not_allowed", "webhook.too_many"),
    ),
    _operation(
        name="list_webhook_endpoints",
        method="GET",
        path=_ALL,
        summary="List webhook endpoints",
        description="Newest first, without their secrets.",
        handler=endpoint_routes.list_webhook_endpoints,
        query=(page_size(), identifier("starting_after", "The last id of the page before.", "whe")),
        answers=(Answer(200, "A page of endpoints.", WebhookEndpointList, page(examples.ENDPOINT)),),
    ),
    _operation(
        name="get_webhook_endpoint",
        method="GET",
        path=_ONE,
        summary="Get a webhook endpoint",
        handler=endpoint_routes.get_webhook_endpoint,
        answers=(Answer(200, "The endpoint.", WebhookEndpointResource, examples.ENDPOINT),),
    ),
    _operation(
        name="update_webhook_endpoint",
        method="PATCH",
        path=_ONE,
        summary="Change, disable or enable a webhook endpoint",
        description=(
            "One that is enabled again goes on where it stopped. For another URL, or to enable it, the key needs "
            f"{_READS}."
        ),
        handler=endpoint_routes.update_webhook_endpoint,
        body=UpdateWebhookEndpointRequest,
        request_examples={"disable": {"status": "disabled"}, "other_events": {"event_types": ["session.ended"]}},
        answers=(Answer(200, "The endpoint.", WebhookEndpointResource, examples.DISABLED),),
        errors=("webhook.url_not_allowed",),
    ),
    _operation(
        name="delete_webhook_endpoint",
        method="DELETE",
        path=_ONE,
        summary="Delete a webhook endpoint",
        description="Nothing is sent to it any more; its deliveries are gone.",
        handler=endpoint_routes.delete_webhook_endpoint,
        answers=(Answer(204, "No content"),),
    ),
    _command(
        name="rotate_webhook_secret",
        path=_ONE + "/rotate_secret",
        summary="Rotate the secret of a webhook endpoint",
        description=(
            f"Shows the new secret once. For {OLD_SECRET_HOURS} hours each request has two signatures, of the new "
            f"secret and of the old one. The key needs {_READS}."
        ),
        secret_answer=True,
        handler=endpoint_routes.rotate_webhook_secret,
        answers=(Answer(200, "The endpoint with its new secret.", NewWebhookEndpoint, examples.NEW_ENDPOINT),),
    ),
    _command(
        name="test_webhook_endpoint",
        path=_ONE + "/test",
        summary="Send a test event now",
        description=(
            "Posts a signed event of type webhook_endpoint.test, once, and shows what the endpoint answered. The "
            "delivery is still pending when no worker took it within wait_seconds."
        ),
        handler=delivery_routes.test_webhook_endpoint,
        query=(
            integer(
                "wait_seconds",
                f"How long to wait for the answer. Default and max {delivery_routes.TEST_WAIT_SECONDS}.",
                least=0,
                most=delivery_routes.TEST_WAIT_SECONDS,
                default=delivery_routes.TEST_WAIT_SECONDS,
            ),
        ),
        answers=(Answer(200, "The delivery with its attempt.", DeliveryResource, examples.TEST),),
        errors=("webhook.disabled",),
    ),
    _operation(
        name="list_webhook_deliveries",
        method="GET",
        path=_ONE + "/deliveries",
        summary="List what was sent to a webhook endpoint",
        description="Newest first, each with its attempts: when, how long, the status, the beginning of the answer.",
        handler=delivery_routes.list_webhook_deliveries,
        query=(
            choice("state", "Only deliveries in this state.", get_args(DeliveryState)),
            page_size(),
            identifier("starting_after", "The last id of the page before.", "dlv"),
        ),
        answers=(Answer(200, "A page of deliveries.", DeliveryList, page(examples.DELIVERY, examples.PENDING)),),
    ),
    _command(
        name="replay_webhook_events",
        path=_ONE + "/replay",
        summary="Send past events again",
        description=(
            "Sends everything that happened after a cursor, or since a time, as far as events are kept, with the ids "
            "that it was sent with before. New events are sent meanwhile. "
            f"The key needs {_READS}."
        ),
        handler=delivery_routes.replay_webhook_events,
        body=ReplayRequest,
        body_required=True,
        request_examples={"since": {"since": "2026-11-22T00:00:00Z", "types": ["session.ended"]}},
        answers=(Answer(202, "The endpoint.", WebhookEndpointResource, examples.REPLAYING),),
        errors=("webhook.disabled", "webhook.replaying", "cursor.expired", "cursor.unknown"),
    ),
    _command(
        name="redeliver_webhook",
        path="/v1/deliveries/{delivery_id}/redeliver",
        summary="Send one event again",
        description=(
            f"At once, whatever became of it before, and by the whole schedule if that fails. The key needs {_READS}."
        ),
        handler=delivery_routes.redeliver,
        answers=(Answer(202, "The delivery.", DeliveryResource, examples.PENDING),),
        errors=("webhook.disabled",),
    ),
)
