"""HTTP and job timings, from the processes. Several processes share files when the launcher says so."""

import os
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Histogram, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from typing_extensions import override

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

PROCESS_REGISTRY = CollectorRegistry()

_HTTP = Histogram(
    "hv_http_request_duration_seconds",
    "Time from request to answer",
    ("service", "route", "method", "status"),
    buckets=_BUCKETS,
    registry=PROCESS_REGISTRY,
)
_JOBS = Histogram(
    "hv_job_duration_seconds",
    "Time a job took",
    ("job", "outcome"),
    buckets=(*_BUCKETS, 30.0, 120.0),
    registry=PROCESS_REGISTRY,
)


class HttpTimings:
    """Keeps the histogram of each kind of answer at hand: to ask the library for it costs every request."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, int], Histogram] = {}

    def observe(self, *, service: str, route: str, method: str, status: int, seconds: float) -> None:
        kind = (service, route, method, status)
        histogram = self._known.get(kind)
        if histogram is None:
            histogram = self._known[kind] = _HTTP.labels(service, route, method, str(status))
        histogram.observe(seconds)


def observe_job(*, job: str, outcome: str, seconds: float) -> None:
    _JOBS.labels(job, outcome).observe(seconds)


def process_registry() -> CollectorRegistry:
    """The timings of all processes that share PROMETHEUS_MULTIPROC_DIR, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return PROCESS_REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # prometheus_client leaves it untyped
    return registry


class TimingsOf(Collector):
    """The timings that are one service's: its requests, and the jobs of its queue (a kind begins with it).

    On one origin all services share their processes; each tells its own, so that nothing is scraped twice.
    """

    def __init__(self, service: str) -> None:
        self._service = service

    @override
    def collect(self) -> Iterable[Metric]:
        return list(self._families())

    def _families(self) -> Iterator[Metric]:
        for family in process_registry().collect():
            own = Metric(family.name, family.documentation, family.type)
            own.samples = [sample for sample in family.samples if self._service == _owner(sample.labels)]
            yield own


def _owner(labels: dict[str, str]) -> str:
    return labels.get("service") or labels.get("job", "").partition(".")[0]
