"""What the service says of itself: health, readiness, metrics, codes, the OpenAPI document and its page."""
