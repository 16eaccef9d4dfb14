"""Webhook endpoints and deliveries over HTTP. Nothing here dials: `worker.webhooks` does, also for a test."""
