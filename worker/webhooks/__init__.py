"""Webhooks on their way: dialed under guard, signed, tried again. A process of its own does it, and nothing else."""
