"""Usage over HTTP: the ledger's rows and their sums. The rows are written by `store.usage`."""
