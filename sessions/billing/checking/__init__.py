"""Whether a bill balances, recomputed from its rows alone: a file for each thing that can be wrong with them."""
