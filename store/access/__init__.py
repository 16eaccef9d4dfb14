"""Who may do what: organizations, API keys, idempotency keys, and the vault that seals secrets and signs links."""
