"""The bodies that webhooks carry, one for each type of event."""

from control_api.events.organization_models import Event
from control_api.http.openapi.webhook import Webhook
from sessions.events.event_types import EVENT_TYPES

EVENT_WEBHOOKS = tuple(Webhook(event_type.name, event_type.help, Event) for event_type in EVENT_TYPES.values())
