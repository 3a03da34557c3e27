"""Alert rules and Grafana's dashboard, with the real Prometheus on the real metrics."""

import json
import re
from pathlib import Path

import pytest
import yaml

from quorate.serving.metrics import METRICS
from stubs.prometheus import promtool

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker" / "service"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
UNIT_TESTS = Path(__file__).with_name("alerts_test.yml")
DASHBOARD = json.loads((FOLDER / "grafana" / "quorate.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = {f"{panel['title']}, {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]}
# Of Prometheus itself, and of the library's process collector.
OTHERS = {"up", "ALERTS", "process_resident_memory_bytes", "process_cpu_seconds_total"}


def metrics_of(query):
    """Names of metrics in a query: words that no function, keyword or label is, and that are no text."""
    bare = re.sub(r'"[^"]*"', "", query)
    bare = re.sub(r"\{[^}]*\}|\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)|\[\w+\]", "", bare)
    words = set(re.findall(r"\b[a-zA-Z_:]\w*\b(?!\s*\()", bare))
    return words - {"or", "and", "unless", "bool", "offset"}


def known(metric):
    return metric in OTHERS or metric.removesuffix("_bucket") in METRICS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_reads_metrics_that_there_are(rule):
    found = metrics_of(rule["expr"])
    assert found
    assert [metric for metric in found if not known(metric)] == []
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description"}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_panel_reads_metrics_that_there_are(query):
    found = metrics_of(query)
    assert found
    assert [metric for metric in found if not known(metric)] == []


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_not():
    cases = [case for test in yaml.safe_load(UNIT_TESTS.read_text())["tests"] for case in test["alert_rule_test"]]
    for fires in (True, False):
        assert {case["alertname"] for case in cases if bool(case.get("exp_alerts")) is fires} == {
            rule["alert"] for rule in RULES
        }


def test_the_alerts_fire_when_they_should():
    checked = promtool("check", "rules", FOLDER / "alerts.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(RULES)} rules found" in checked.stdout
    tested = promtool("test", "rules", UNIT_TESTS)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_panels_do_not_overlap():
    cells = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        mine = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not mine & cells, panel["title"]
        cells |= mine
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_panels_read_the_provisioned_source():
    (source,) = yaml.safe_load((FOLDER / "grafana" / "datasources.yml").read_text())["datasources"]
    for panel in PANELS:
        assert panel["datasource"] == {"type": "prometheus", "uid": source["uid"]}
        assert panel["fieldConfig"]["defaults"]["unit"]


def test_the_configuration_is_valid(tmp_path):
    """With files in other places, since promtool looks for them."""
    token, path = tmp_path / "monitor_token", tmp_path / "prometheus.yml"
    token.write_text("a token")
    path.write_text((FOLDER / "prometheus.yml").read_text().replace("/run/secrets/monitor_token", str(token)))
    (tmp_path / "alerts.yml").write_text((FOLDER / "alerts.yml").read_text())
    checked = promtool("check", "config", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "1 rule files found" in checked.stdout
