"""The tables, as SQLAlchemy Core. CHECK constraints, functions and triggers are in the revisions only."""

from store.database.tables.events import event_inbox, event_logs, organization_events, session_events
from store.database.tables.installation import object_storage, sweeps
from store.database.tables.metadata import metadata
from store.database.tables.organizations import answer_bytes, api_keys, idempotency_keys, organizations
from store.database.tables.outputs import (
    live_transcripts,
    log_entries,
    recording_files,
    recordings,
    summaries,
    transcript_versions,
    transcripts,
)
from store.database.tables.runs import runs, usage_events
from store.database.tables.sessions import (
    erasures,
    leftovers,
    page_order,
    session_pauses,
    session_tags,
    sessions,
    worker_tokens,
)
from store.database.tables.webhooks import webhook_attempts, webhook_deliveries, webhook_endpoints

__all__ = [
    "answer_bytes",
    "api_keys",
    "erasures",
    "event_inbox",
    "event_logs",
    "idempotency_keys",
    "leftovers",
    "live_transcripts",
    "log_entries",
    "metadata",
    "object_storage",
    "organization_events",
    "organizations",
    "page_order",
    "recording_files",
    "recordings",
    "runs",
    "session_events",
    "session_pauses",
    "session_tags",
    "sessions",
    "summaries",
    "sweeps",
    "transcript_versions",
    "transcripts",
    "usage_events",
    "webhook_attempts",
    "webhook_deliveries",
    "webhook_endpoints",
    "worker_tokens",
]
