"""What the service says of itself: codes, status, health, readiness, metrics, the OpenAPI document and its page."""
