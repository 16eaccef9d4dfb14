"""The bill: ledger rows that tile each session's counter, their sums, and what checks them."""
