"""What the webhooks' operations are given by the application."""

from aiohttp import web

from store.events.organization_events import OrganizationEvents
from store.webhooks.deliveries import WebhookDeliveries
from store.webhooks.endpoints import WebhookEndpoints

ENDPOINTS = web.AppKey("webhook_endpoints", WebhookEndpoints)
DELIVERIES = web.AppKey("webhook_deliveries", WebhookDeliveries)
EVENTS = web.AppKey("webhook_replayed_events", OrganizationEvents)
