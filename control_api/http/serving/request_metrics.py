"""Prometheus metrics of the API, in a registry of their own."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class RequestMetrics:
    """Counts requests by operation (never by path: ids would make endless series)."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
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

    def render(self) -> bytes:
        """The text that a Prometheus server scrapes."""
        return generate_latest(self._registry)


METRICS = web.AppKey("metrics", RequestMetrics)
