"""Webhooks as values: how they are signed, and when a failed delivery is tried again. Nothing here sends."""
