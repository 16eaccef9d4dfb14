"""Usage over HTTP: the ledger's rows and their sums. Rows are written by `store.usage`, never here."""
