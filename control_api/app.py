"""The aiohttp application: the table of operations behind the boundary."""

from functools import partial

from aiohttp import web
from aiohttp.typedefs import Middleware

from control_api.events.streams.event_feed import EVENT_FEEDS, EventFeeds
from control_api.events.streams.live_feed import LIVE_FEEDS, LiveFeeds
from control_api.events.streams.open_streams import OPEN_STREAMS, OpenStreams
from control_api.http.answers.public_address import PUBLIC_ADDRESS, PublicAddress
from control_api.http.openapi.document import OPENAPI, ServedDocument
from control_api.http.requests.dependencies import (
    BULK_LOG,
    BULK_QUERIES,
    DEPENDENCIES,
    ERASURE,
    ORGANIZATION_EVENTS,
    RECORDING_FILES,
    SUMMARIES,
    TRANSCRIPT_VERSIONS,
    TRANSCRIPTS,
    ApiDependencies,
)
from control_api.http.requests.json_body import MAX_BODY_BYTES
from control_api.http.requests.request_limits import REQUEST_LIMITS, open_request_limits
from control_api.http.serving.admission import ANSWER_VAULT
from control_api.http.serving.boundary import boundary, stamp
from control_api.http.serving.bulk_reads import BULK_READS, BulkReads
from control_api.http.serving.cross_origin import CrossOrigin
from control_api.http.serving.erasure_watch import ERASURE_WATCH, ErasureWatch
from control_api.http.serving.late_releases import LATE_RELEASES, LateReleases
from control_api.http.serving.readiness import READINESS, ReadinessProbe
from control_api.http.serving.request_metrics import METRICS, RequestMetrics
from control_api.http.serving.router import add_routes
from control_api.http.serving.work_slices import WorkSlices
from control_api.operations import OPERATIONS, WEBHOOKS
from control_api.outputs.recordings.links import LINKS, ObjectLinks
from control_api.outputs.recordings.waveform_routes import WAVEFORM_READS, WAVEFORM_SLICES, waveform_thread
from control_api.pages.built_pages import PAGES, BuiltPages
from control_api.pages.routes import add_pages
from control_api.sessions.notifications import NOTIFICATIONS, SessionNotifications
from control_api.webhooks.delivery_watch import DELIVERY_WATCH, DeliveryWatch
from control_api.webhooks.stores import DELIVERIES, ENDPOINTS, EVENTS
from store.access.vault import AnswerVault, TokenVault
from store.database.clock import DatabaseClock
from store.database.server.write_proof import prove_writer
from store.events.organization_events import OrganizationEvents
from store.outputs.live_view import LiveView
from store.outputs.recording_files import RecordingFiles
from store.outputs.summaries import Summaries
from store.outputs.transcript_versions import TranscriptVersions
from store.outputs.transcripts import Transcripts
from store.sessions.erasure import SessionErasure
from store.sessions.log.session_log import SessionLog
from store.sessions.queries import SessionQueries
from store.webhooks.deliveries import WebhookDeliveries
from store.webhooks.endpoints import WebhookEndpoints


def build_app(dependencies: ApiDependencies, *, base_url: str) -> web.Application:
    """The application; it opens and starts nothing.

    Args:
        base_url: where the API listens; links begin with it, unless `PARLEY_PUBLIC_URL` says otherwise.
    """
    settings = dependencies.settings
    cross_origin = CrossOrigin(settings.cors_origins) if settings.cors_origins else None
    inner: list[Middleware] = [] if cross_origin is None else [cross_origin.preflights()]
    app = web.Application(middlewares=[boundary, *inner], client_max_size=MAX_BODY_BYTES)
    address = app[PUBLIC_ADDRESS] = PublicAddress(settings.public_url, base_url)
    app[DEPENDENCIES] = dependencies
    app[REQUEST_LIMITS] = open_request_limits(app)
    app[BULK_READS] = BulkReads()
    app[WAVEFORM_READS] = BulkReads()
    app[WAVEFORM_SLICES] = WorkSlices()
    app.cleanup_ctx.append(waveform_thread)
    app[BULK_LOG] = SessionLog(dependencies.bulk_db)
    app[BULK_QUERIES] = SessionQueries(dependencies.bulk_db)
    app[NOTIFICATIONS] = SessionNotifications()
    app[LATE_RELEASES] = LateReleases()
    app[ANSWER_VAULT] = AnswerVault(settings.secret_key)
    app[ERASURE] = SessionErasure(dependencies.db, dependencies.objects)
    app[METRICS] = RequestMetrics(dependencies.log_lines_dropped)
    app[ORGANIZATION_EVENTS] = OrganizationEvents(dependencies.db)
    app[EVENT_FEEDS] = EventFeeds(app[ORGANIZATION_EVENTS])
    app[LIVE_FEEDS] = LiveFeeds(LiveView(dependencies.db))
    app[OPEN_STREAMS] = OpenStreams(settings.event_streams, settings.event_streams_per_key)
    app[TRANSCRIPTS] = Transcripts(dependencies.bulk_db)
    app[RECORDING_FILES] = RecordingFiles(dependencies.db)
    app[SUMMARIES] = Summaries(dependencies.db)
    app[TRANSCRIPT_VERSIONS] = TranscriptVersions(dependencies.db)
    events = app[EVENTS] = OrganizationEvents(dependencies.db)
    app[ENDPOINTS] = WebhookEndpoints(dependencies.db, events, TokenVault(settings.secret_key))
    app[DELIVERIES] = WebhookDeliveries(dependencies.db)
    app[LINKS] = ObjectLinks(
        dependencies.objects,
        dependencies.signer,
        address,
        DatabaseClock(dependencies.db.clock),
        through_api=settings.storage_links == "api",
    )
    app[ERASURE_WATCH] = ErasureWatch(dependencies.db, app[METRICS])
    app[DELIVERY_WATCH] = DeliveryWatch(dependencies.db, app[METRICS])
    app[READINESS] = ReadinessProbe(
        partial(prove_writer, dependencies.db),
        dependencies.storage.ready,
        (app[ERASURE_WATCH].troubles, dependencies.storage.troubles),
        settings.database_timeout_seconds,
    )
    app[OPENAPI] = ServedDocument(OPERATIONS, WEBHOOKS, address.server)
    app[PAGES] = BuiltPages()
    add_pages(app.router)
    add_routes(app.router, OPERATIONS)
    app.on_response_prepare.append(stamp)
    if cross_origin is not None:
        app.on_response_prepare.append(cross_origin.stamp)
    return app
