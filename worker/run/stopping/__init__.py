"""Why and when a run stops: its reasons, where each is found, and which of two comes first."""
