"""From stored endpoints and deliveries to the resources that clients read."""

from typing import Any

from pydantic import SecretStr

from control_api.webhooks.models import DeliveryResource, NewWebhookEndpoint, WebhookEndpointResource
from sessions.ids import format_id
from sessions.texts.timestamps import format_timestamp
from store.webhooks.endpoint import Delivery, WebhookEndpoint


def present_endpoint(endpoint: WebhookEndpoint) -> WebhookEndpointResource:
    """The endpoint without its secret."""
    return WebhookEndpointResource.model_validate(_members(endpoint))


def present_new_endpoint(endpoint: WebhookEndpoint, secret: SecretStr) -> NewWebhookEndpoint:
    """The endpoint with its secret."""
    return NewWebhookEndpoint.model_validate({**_members(endpoint), "secret": secret.get_secret_value()})


def present_delivery(delivery: Delivery) -> DeliveryResource:
    """The delivery with its attempts."""
    return DeliveryResource.model_validate(
        {
            "id": format_id("dlv", delivery.id),
            "object": "webhook_delivery",
            "endpoint_id": format_id("whe", delivery.endpoint_id),
            "event_id": format_id("evt", delivery.event_id),
            "event_type": delivery.event_type,
            "session_id": None if delivery.session_id is None else format_id("sess", delivery.session_id),
            "state": delivery.state,
            "created_at": format_timestamp(delivery.created_at),
            "next_attempt_at": format_timestamp(delivery.next_attempt_at),
            "finished_at": format_timestamp(delivery.finished_at),
            "attempts": [
                {
                    "at": format_timestamp(attempt.at),
                    "ms": attempt.ms,
                    "status": attempt.status,
                    "error": attempt.error,
                    "answer": attempt.answer,
                }
                for attempt in delivery.attempts
            ],
        }
    )


def _members(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": format_id("whe", endpoint.id),
        "object": "webhook_endpoint",
        "organization_id": format_id("org", endpoint.organization_id),
        "agent_id": endpoint.agent_id,
        "url": endpoint.url,
        "event_types": list(endpoint.event_types),
        "description": endpoint.description,
        "includes_content": endpoint.reads_content,
        "status": endpoint.status,
        "disabled_reason": endpoint.disabled_reason,
        "disabled_at": format_timestamp(endpoint.disabled_at),
        "failing_since": format_timestamp(endpoint.failing_since),
        "old_secret_until": format_timestamp(endpoint.old_secret_until),
        "replaying_since": format_timestamp(endpoint.replaying_since),
        "created_at": format_timestamp(endpoint.created_at),
        "updated_at": format_timestamp(endpoint.updated_at),
    }
