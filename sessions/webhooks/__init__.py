"""Webhooks as values: where they may go, and when a failed delivery is tried again. Nothing here sends."""
