"""What operators are given to watch the platform with, and a Prometheus of the tests' own."""

import ast
import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.local.folders import free_port

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "monitoring" / "prometheus"
DASHBOARDS = sorted((ROOT / "deploy" / "monitoring" / "grafana" / "dashboards").glob("*.json"))

_FAMILIES = {
    "GaugeMetricFamily": ("",),
    "CounterMetricFamily": ("_total",),
    "Histogram": ("_bucket", "_count"),
}
_NAME = re.compile(r"\bhv_[a-z0-9_]+")
_START_SECONDS = 30.0
_ANSWER_SECONDS = 30.0
# As Grafana fills them in: everything is chosen, and the shortest time that this scrape interval allows.
_CHOSEN = {"$__rate_interval": "1m", "$__range": "1m"}
_VARIABLE = re.compile(r"\$[a-z]+\b")
_VALUES = re.compile(r"label_values\((.+), ([a-z_]+)\)")


def program(name: str) -> str:
    """Its path. Without one the test is skipped, and the end of the run says so (monitoring/conftest.py)."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"NOT RUN: no {name} on PATH")
    return found


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def panel_expressions(path: Path) -> Iterator[tuple[str, str]]:
    """Each query of a dashboard as it is written, with the title of its panel."""
    for panel in dashboard(path)["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def variable_queries(path: Path) -> Iterator[str]:
    for variable in dashboard(path)["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def chosen(expression: str) -> str:
    for name, value in _CHOSEN.items():
        expression = expression.replace(name, value)
    return _VARIABLE.sub(".+", expression)


def values_expression(query: str) -> str:
    """`label_values(…)` as Prometheus can be asked it."""
    found = _VALUES.fullmatch(query)
    assert found, query
    return f"group by ({found[2]}) ({chosen(found[1])})"


def names_in(expression: str) -> set[str]:
    """The metrics that it reads; names in quotes are values."""
    return set(_NAME.findall(re.sub(r'"[^"]*"', "", expression)))


@cache
def told_names() -> set[str]:
    """The metrics that the services tell, read from their code."""
    names = set()
    for path in (*ROOT.glob("services/**/*.py"), *ROOT.glob("shared/**/*.py")):
        source = path.read_text(encoding="utf-8")
        if "hv_" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            for suffix in _FAMILIES.get(node.func.id, ()):
                assert isinstance(node.args[0], ast.Constant)
                names.add(str(node.args[0].value) + suffix)
    return names


class Prometheus:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, **params: str) -> Any:  # noqa: ANN401 - Prometheus' own document
        answer = await self._client.get(f"/api/v1/{path}", params=params)
        told = answer.json()
        assert told["status"] == "success", (params, told)
        return told["data"]

    async def value(self, expression: str) -> list[dict[str, Any]]:
        """The series that it has now; fails when Prometheus cannot run it."""
        found: list[dict[str, Any]] = (await self.get("query", query=expression))["result"]
        return found


@asynccontextmanager
async def prometheus(folder: Path) -> AsyncIterator[Prometheus]:
    """Debian's, with the configuration in this folder."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=address, timeout=_ANSWER_SECONDS) as client:
            await _ready(client)
            yield Prometheus(client)
    finally:
        process.terminate()
        await process.wait()


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            try:
                if (await client.get("/-/ready")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
