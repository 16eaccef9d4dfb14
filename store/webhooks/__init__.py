"""Webhook endpoints, and what is delivered to them: rows and queries. Nothing here dials, or knows what a body says."""
