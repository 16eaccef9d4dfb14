"""What the application is built with; `parley` opens and wires it."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from sessions.settings import Settings
from store.access.api_keys import ApiKeys
from store.access.idempotency import Idempotency
from store.access.vault import LinkSigner
from store.database.database import Database
from store.database.notify.notifications import Listener
from store.events.organization_events import OrganizationEvents
from store.installation.storage_check import StorageCheck
from store.objects.objects import Objects
from store.outputs.recording_files import RecordingFiles
from store.outputs.summaries import Summaries
from store.outputs.transcript_versions import TranscriptVersions
from store.outputs.transcripts import Transcripts
from store.sessions.erasure import SessionErasure
from store.sessions.log.session_log import SessionLog
from store.sessions.queries import SessionQueries
from store.sessions.sessions import Sessions
from store.usage.ledger import Ledger
from store.usage.totals import UsageTotals


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """Everything from outside; each is opened and closed by the caller.

    Attributes:
        bulk_db: the same database, by a pool for the pages of long answers.
        listener: entered, not iterated; `server.serve` is its one consumer.
        log_lines_dropped: tells how many lines of this process's log were dropped so far.
    """

    settings: Settings
    db: Database
    bulk_db: Database
    sessions: Sessions
    api_keys: ApiKeys
    idempotency: Idempotency
    ledger: Ledger
    usage_totals: UsageTotals
    objects: Objects
    storage: StorageCheck
    signer: LinkSigner
    listener: Listener
    log_lines_dropped: Callable[[], int] = int


DEPENDENCIES = web.AppKey("dependencies", ApiDependencies)
ERASURE = web.AppKey("erasure", SessionErasure)
ORGANIZATION_EVENTS = web.AppKey("organization events", OrganizationEvents)
TRANSCRIPT_VERSIONS = web.AppKey("transcript_versions", TranscriptVersions)
TRANSCRIPTS = web.AppKey("transcripts", Transcripts)
BULK_LOG = web.AppKey("bulk log", SessionLog)
BULK_QUERIES = web.AppKey("bulk queries", SessionQueries)
RECORDING_FILES = web.AppKey("recording_files", RecordingFiles)
SUMMARIES = web.AppKey("summaries", Summaries)
