"""HTTP and job timings, from the processes. Several processes share files when the launcher says so."""

import os

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

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
    def observe(self, *, service: str, route: str, method: str, status: int, seconds: float) -> None:
        _HTTP.labels(service, route, method, str(status)).observe(seconds)


def observe_job(*, job: str, outcome: str, seconds: float) -> None:
    _JOBS.labels(job, outcome).observe(seconds)


def process_registry() -> CollectorRegistry:
    """The timings of all processes that share PROMETHEUS_MULTIPROC_DIR, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return PROCESS_REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # prometheus_client leaves it untyped
    return registry
