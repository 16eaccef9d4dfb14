"""What the application leans on, wired by `parley`."""

from dataclasses import dataclass

from aiohttp import web

from control_api.late_releases import LateReleases
from control_api.links import ObjectLinks
from control_api.readiness import ReadinessProbe
from control_api.request_metrics import RequestMetrics
from control_api.session_notifications import SessionNotifications
from sessions.settings import Settings
from store.api_keys import ApiKeys
from store.database import Database
from store.idempotency import Idempotency
from store.ledger import Ledger
from store.notifications import Listener
from store.objects import Objects
from store.session_erasure import SessionErasure
from store.sessions_table import Sessions
from store.summaries import Summaries
from store.transcripts import Transcripts
from store.usage_totals import UsageTotals
from store.vault import AnswerVault, LinkSigner


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """Everything from outside; each is opened and closed by the caller.

    Attributes:
        listener: entered, not iterated; `server.serve` is its one consumer.
    """

    settings: Settings
    db: Database
    sessions: Sessions
    api_keys: ApiKeys
    idempotency: Idempotency
    ledger: Ledger
    usage_totals: UsageTotals
    objects: Objects
    signer: LinkSigner
    listener: Listener


DEPENDENCIES = web.AppKey("dependencies", ApiDependencies)
NOTIFICATIONS = web.AppKey("notifications", SessionNotifications)
ANSWER_VAULT = web.AppKey("answer_vault", AnswerVault)
ERASURE = web.AppKey("erasure", SessionErasure)
TRANSCRIPTS = web.AppKey("transcripts", Transcripts)
SUMMARIES = web.AppKey("summaries", Summaries)
LINKS = web.AppKey("links", ObjectLinks)
READINESS = web.AppKey("readiness", ReadinessProbe)
LATE_RELEASES = web.AppKey("late_releases", LateReleases)
METRICS = web.AppKey("metrics", RequestMetrics)
