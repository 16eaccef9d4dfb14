"""What is read from a request and checked: key, path, query, body, idempotency key."""
