"""Prometheus metrics of the API, in a registry of their own."""

from collections.abc import Callable, Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class RequestMetrics:
    """Counts requests by operation (never by path: ids would make endless series).

    Args:
        log_lines_dropped: tells how many lines of this process's log were dropped so far.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, log_lines_dropped: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "parley_api_requests_total", "Requests answered.", ("operation", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "parley_api_request_seconds",
            "Seconds until the answer was ready; long polls wait on purpose.",
            ("operation",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.in_flight = Gauge("parley_api_requests_in_flight", "Requests being answered.", registry=self._registry)
        self.errors = Counter(
            "parley_api_errors_total", "Errors answered, by code.", ("code",), registry=self._registry
        )
        self.event_streams = Gauge(
            "parley_api_event_streams", "Streams of events that are open.", registry=self._registry
        )
        self.event_streams_ended = Counter(
            "parley_api_event_streams_ended_total",
            "Streams of events that ended, by reason.",
            ("reason",),
            registry=self._registry,
        )
        self.sweeps = Counter("parley_api_sweeps_total", "Sweeps, by outcome.", ("outcome",), registry=self._registry)
        self.failed_erasures = Gauge(
            "parley_api_erasures_failed",
            "Erased sessions whose objects the storage has not let go of.",
            registry=self._registry,
        )
        self.oldest_failed_erasure = Gauge(
            "parley_api_erasures_failed_oldest_seconds",
            "Seconds since the first of them was erased; 0 without any.",
            registry=self._registry,
        )
        self.webhook_endpoints_disabled = Gauge(
            "parley_api_webhook_endpoints_disabled",
            "Webhook endpoints that were disabled because they failed.",
            ("reason",),
            registry=self._registry,
        )
        self.webhook_overdue = Gauge(
            "parley_api_webhook_overdue_seconds",
            "Seconds since the first webhook became due that was not attempted since; 0 without any.",
            registry=self._registry,
        )
        self.webhook_oldest = Gauge(
            "parley_api_webhook_oldest_undelivered_seconds",
            "Seconds since the oldest webhook was queued that is not delivered yet; 0 without any.",
            registry=self._registry,
        )
        self._registry.register(_DroppedLogLines(log_lines_dropped))

    def render(self) -> bytes:
        """The text that a Prometheus server scrapes."""
        return generate_latest(self._registry)


class _DroppedLogLines(Collector):
    def __init__(self, dropped: Callable[[], int]) -> None:
        self._dropped = dropped

    def collect(self) -> Iterator[Metric]:
        help_ = "Lines of the log that were dropped, as whoever reads it stalled or went away."
        yield CounterMetricFamily("parley_api_log_lines_dropped", help_, value=self._dropped())


METRICS = web.AppKey("metrics", RequestMetrics)
