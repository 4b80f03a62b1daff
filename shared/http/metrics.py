"""GET /{service}/metrics: the database's own totals beside the processes' timings, as Prometheus text."""

from collections.abc import Awaitable, Callable, Iterable

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector
from typing_extensions import override

from shared.http.auth import metrics_reader
from shared.metrics.http import TimingsOf
from shared.metrics.looks import Looks

# Reads the service's totals (one short snapshot) and returns them as metric families.
Totals = Callable[[], Awaitable[list[Metric]]]


class _Snapshot(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    @override
    def collect(self) -> Iterable[Metric]:
        return self._families


def metrics_router(service: str, totals: Totals) -> APIRouter:
    router, looks = APIRouter(prefix=f"/{service}", tags=["metrics"]), Looks()

    async def text() -> bytes:
        told = CollectorRegistry()
        told.register(_Snapshot(await totals()))
        told.register(TimingsOf(service))
        return generate_latest(told)

    @router.get(
        "/metrics",
        operation_id=f"{service}_prometheus",
        dependencies=[Depends(metrics_reader)],
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text format"}},
    )
    async def prometheus() -> Response:
        """Totals since the beginning (they survive restarts) and timings of this machine's processes."""
        return Response(await looks.get(service, text), media_type=CONTENT_TYPE_LATEST)

    return router
