"""Waiting for what may take long: an event, or a database that is away. It knows no table and opens no connection."""
