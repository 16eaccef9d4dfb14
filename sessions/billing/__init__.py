"""Usage arithmetic: milliseconds, credits, billing periods, and whether a ledger adds up. It keeps no ledger."""
