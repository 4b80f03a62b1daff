"""Alerts and dashboards name only what the services tell, and what an operator needs stands beside each."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.local.names import SERVICES
from deploy.local.services import app_factory
from shared.settings import Settings
from tests.support.monitoring import (
    DASHBOARDS,
    PROMETHEUS,
    ROOT,
    alerts,
    dashboard,
    names_in,
    panel_expressions,
    told_names,
    values_expression,
    variable_queries,
)

UNITS = {"short", "percentunit", "s", "reqps", "ops", "locale"}
CALL = re.compile(r"`(GET|POST) (/[a-z]+/v1/[^`? ]+)")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_metric_of_an_alert_is_told() -> None:
    named = {rule["alert"]: names_in(rule["expr"]) for rule in alerts()}
    assert {alert: names - told_names() for alert, names in named.items() if names - told_names()} == {}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_metric_of_a_dashboard_is_told(path: Path) -> None:
    told = told_names()
    queries = [expression for _, expression in panel_expressions(path)]
    queries += [values_expression(query) for query in variable_queries(path)]
    assert len(queries) > 10
    assert {query: names_in(query) - told for query in queries if names_in(query) - told} == {}


def test_a_metric_that_nobody_tells_is_found() -> None:
    assert names_in('rate(hv_draws_total{a="hv_x"}[5m]) / hv_gone') - told_names() == {"hv_gone"}
    assert {"hv_outbox_dead", "hv_draws_total", "hv_http_request_duration_seconds_bucket"} <= told_names()


def test_every_alert_says_what_to_do() -> None:
    pages = {page.stem for page in (ROOT / "docs" / "runbooks").glob("*.md")}
    for rule in alerts():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        told = rule["annotations"]
        assert CHINESE.search(told["summary"])
        assert not CHINESE.search(told["summary_en"])
        assert told["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"
        assert rule["alert"] in pages
    assert pages - {"README"} == {rule["alert"] for rule in alerts()}


def test_every_alert_is_shown_to_fire_and_to_stay_silent() -> None:
    cases = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    checks = [check for case in cases for check in case["alert_rule_test"]]
    names = {rule["alert"] for rule in alerts()}
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == names
    assert {check["alertname"] for check in checks if not check["exp_alerts"]} == names


def test_every_call_that_a_page_names_exists(settings: Settings) -> None:
    """Who is woken at night types what stands there."""
    offered = {
        f"{method.upper()} {_unnamed(path)}"
        for service in SERVICES
        for path, item in app_factory(service)(settings).openapi()["paths"].items()
        for method in item
    }
    named = {
        f"{method} {_unnamed(path)}"
        for page in (ROOT / "docs" / "runbooks").glob("*.md")
        for method, path in CALL.findall(page.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert named - offered == set()


def _unnamed(path: str) -> str:
    return re.sub(r"\{[a-z_]+\}", "{}", path)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_can_be_read(path: Path) -> None:
    told = dashboard(path)
    assert told["uid"] == f"hv-{path.stem}"
    assert CHINESE.search(told["title"])
    assert told["timezone"] == "Asia/Shanghai"
    assert next(variable["name"] for variable in told["templating"]["list"]) == "datasource"
    ids = [panel["id"] for panel in told["panels"]]
    assert len(ids) == len(set(ids))
    for panel in told["panels"]:
        assert CHINESE.search(panel["title"]), panel["title"]
        if panel["type"] != "row":
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
            assert panel["datasource"]["uid"] == "${datasource}"
    assert _overlapping([panel["gridPos"] for panel in told["panels"]]) == []


def _overlapping(places: list[dict[str, int]]) -> list[tuple[int, int]]:
    taken: set[tuple[int, int]] = set()
    twice = []
    for place in places:
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken:
                    twice.append((x, y))
                taken.add((x, y))
    return twice
