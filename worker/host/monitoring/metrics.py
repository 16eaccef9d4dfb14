"""The metrics of a worker: what its supervisor knows, and what its processes say of themselves."""

from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from worker.host.monitoring.webhook_metrics import WebhookCollector
from worker.host.supervisor import Supervisor
from worker.spool.salvage import Salvage
from worker.vitals.process_figures import ProcessFigures

_GAUGES = {
    "sessions_running": "Sessions that are in their room.",
    "slots_free": "Sessions that this process would take.",
    "sessions_served": "Sessions that this process has taken since it started.",
    "uploads_pending": "Sealed segments that the object storage does not have yet.",
}
_COUNTERS = {
    "beats_failed": "Beats that the database did not answer.",
    "audio_records_dropped": "Records of audio that were lost because the spool's disk was too slow.",
}

_DROPPED = "Lines of the log that were dropped, as whoever reads it stalled or went away."


class RecorderCollector(Collector):
    """The figures of every recorder process, labelled by its place (`recorder-0`, …): owners come and go."""

    def __init__(self, supervisor: Supervisor, data_dir: Path, log_lines_dropped: Callable[[], int]) -> None:
        self._supervisor = supervisor
        self._data_dir = data_dir
        self._log_lines_dropped = log_lines_dropped

    def collect(self) -> Iterator[Metric]:
        """Read what each living process wrote last."""
        figures = {
            place: ProcessFigures.read(self._data_dir, owner) or ProcessFigures()
            for owner, place in self._supervisor.recorder_places.items()
        }
        for name, help_ in _GAUGES.items():
            gauge = GaugeMetricFamily(f"parley_worker_{name}", help_, labels=["recorder"])
            for place, one in figures.items():
                gauge.add_metric([place], getattr(one, name))
            yield gauge
        memory = GaugeMetricFamily("parley_worker_memory_bytes", "Resident memory.", labels=["recorder"])
        for owner, place in self._supervisor.recorder_places.items():
            memory.add_metric([place], self._supervisor.memory_of(owner))
        yield memory
        for name, help_ in _COUNTERS.items():
            counter = CounterMetricFamily(f"parley_worker_{name}", help_, labels=["recorder"])
            for place, one in figures.items():
                counter.add_metric([place], getattr(one, name))
            yield counter
        dropped = CounterMetricFamily("parley_worker_log_lines_dropped", _DROPPED, labels=["process"])
        dropped.add_metric(["supervisor"], self._log_lines_dropped())
        for place, one in figures.items():
            dropped.add_metric([place], one.log_lines_dropped)
        yield dropped


def worker_metrics(
    supervisor: Supervisor, salvage: Salvage, data_dir: Path, log_lines_dropped: Callable[[], int]
) -> CollectorRegistry:
    """Everything that /metrics shows."""
    registry = CollectorRegistry()
    registry.register(RecorderCollector(supervisor, data_dir, log_lines_dropped))
    registry.register(WebhookCollector(data_dir))
    Gauge("parley_worker_recorders", "Recorder processes that run.", registry=registry).set_function(
        lambda: len(supervisor.live_owners)
    )
    Gauge("parley_worker_child_deaths", "Children that died unasked.", registry=registry).set_function(
        lambda: supervisor.deaths
    )
    Gauge(
        "parley_worker_retirements", "Recorder processes that had served enough and were replaced.", registry=registry
    ).set_function(lambda: supervisor.retirements)
    Gauge("parley_worker_segments_salvaged", "Segments uploaded for dead processes.", registry=registry).set_function(
        lambda: salvage.segments
    )
    return registry
