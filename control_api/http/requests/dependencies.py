"""What the application leans on, wired by `parley`."""

from dataclasses import dataclass

from aiohttp import web

from control_api.http.serving.late_releases import LateReleases
from control_api.http.serving.readiness import ReadinessProbe
from control_api.http.serving.request_metrics import RequestMetrics
from control_api.recordings.links import ObjectLinks
from control_api.sessions.notifications import SessionNotifications
from sessions.settings import Settings
from store.access.api_keys import ApiKeys
from store.access.idempotency import Idempotency
from store.access.vault import AnswerVault, LinkSigner
from store.database.database import Database
from store.database.notifications import Listener
from store.objects.objects import Objects
from store.outputs.summaries import Summaries
from store.outputs.transcripts import Transcripts
from store.sessions.erasure import SessionErasure
from store.sessions.sessions import Sessions
from store.usage.ledger import Ledger
from store.usage.totals import UsageTotals


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
