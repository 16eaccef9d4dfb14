"""What the supervisor tells whoever watches the worker, over HTTP: health, readiness, metrics."""
