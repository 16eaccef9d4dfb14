"""The style of the flat paths, `/v1/session/…` and `/v1/sessions/summary`: status, audio, transcript and summary.

The session's id comes in the query or the body, members are in camelCase, and an error is `{"error": "<text>"}`. This
style reads outputs and starts summary runs; it creates, changes and deletes no session.
"""
