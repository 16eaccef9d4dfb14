"""Who may do what: organizations, API keys, idempotency keys, and the vault that seals tokens and answers."""
