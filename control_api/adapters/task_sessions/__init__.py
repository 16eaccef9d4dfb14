"""The style of tasks, `/api/sessions`: text sessions of agents' tasks, which a transport makes voice sessions.

Resources are bare, and a status is one of five words, which is also the command to get there. Errors have the canonical
envelope.
"""
