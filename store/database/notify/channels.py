"""NOTIFY: the channels, and sending on one."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

SESSION_CHANNEL = "parley_session"
CLAIM_CHANNEL = "parley_claim"
MESSAGE_CHANNEL = "parley_message"
DELIVERED_CHANNEL = "parley_delivered"
EVENT_CHANNEL = "parley_event"
LOG_CHANNEL = "parley_log"
WEBHOOK_CHANNEL = "parley_webhook"

API_CHANNELS = (CLAIM_CHANNEL, SESSION_CHANNEL, MESSAGE_CHANNEL, DELIVERED_CHANNEL, EVENT_CHANNEL, LOG_CHANNEL)
"""What an API process listens to."""


async def notify(conn: AsyncConnection, channel: str, payload: str = "") -> None:
    """NOTIFY, delivered when the transaction commits."""
    await conn.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload})
