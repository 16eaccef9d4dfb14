"""The metrics of a worker's webhooks, as the process that posts them counts."""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from worker.vitals.webhook_figures import WebhookFigures


class WebhookCollector(Collector):
    """Counters begin anew when the process is replaced."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def collect(self) -> Iterator[Metric]:
        """Read what the process wrote last."""
        figures = WebhookFigures.read(self._data_dir)
        attempts = CounterMetricFamily(
            "parley_worker_webhook_attempts", "Requests to webhook endpoints.", labels=["outcome", "error"]
        )
        for (outcome, error), count in figures.attempts.items():
            attempts.add_metric([outcome, error], count)
        yield attempts
        yield HistogramMetricFamily(
            "parley_worker_webhook_attempt_seconds",
            "Seconds from resolving to the answer's beginning.",
            buckets=list(figures.buckets()),
            sum_value=figures.seconds,
        )
