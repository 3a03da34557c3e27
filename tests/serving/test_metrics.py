"""`/metrics`: every metric of the table, read back with Prometheus' own parser."""

from dataclasses import replace

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from quorate.evaluation.drift.stored_check import check_path, write_check
from quorate.lifecycle.retrain.run_log import RetrainRun, RunLog
from quorate.serving.metrics import METRICS
from stubs.drift_checks import DRIFTING
from stubs.service_client import client
from stubs.waiting import eventually


def read(http):
    """(name, labels) -> value of every sample."""
    found = {}
    for family in parse(http.get("/metrics").text):
        for sample in family.samples:
            found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


def value(samples, name, **labels):
    return samples.get((name, frozenset(labels.items())))


def test_the_table_is_what_is_exported(page, world, trade):
    page.get(f"/signals/{world.symbols[0]}")
    trade(2)
    eventually(lambda: "quorate_ladder_step{" in page.get("/metrics").text)
    write_check(world.bundles, replace(DRIFTING, bundle=world.ids[0]))
    RunLog(world.bundles).write(RetrainRun(1, 1_700_000_000_000, "", world.ids[0], "kept", ended=1_700_000_060_000))
    names = {"quorate_journal_lag_seconds"}  # of live accounts only
    for family in parse(page.get("/metrics").text):
        # The library adds the time at which each counter began.
        if family.name.startswith("quorate_") and not family.name.endswith("_created"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            names.add(name)
            assert family.documentation == METRICS[name]
    assert names == set(METRICS)
    assert any(name == "process_resident_memory_bytes" for name, _ in read(page))


def test_signals_and_requests_are_counted(http, world):
    symbol = world.symbols[0]
    action = http.get(f"/signals/{symbol}").json()["action"]
    http.get("/signals")
    http.get("/signals/none")
    http.get("/no/such/path")
    http.request("BREW", "/signals")
    found = read(http)
    assert value(found, "quorate_signals_total", symbol=symbol, action=action) == 2
    assert value(found, "quorate_signal_seconds_count") == 2
    one = {"route": "/signals/{symbol:path}", "method": "GET"}
    assert value(found, "quorate_http_requests_total", **one, status="200") == 1
    assert value(found, "quorate_http_requests_total", **one, status="404") == 1
    assert value(found, "quorate_http_requests_total", route="/signals", method="GET", status="200") == 1
    assert value(found, "quorate_http_requests_total", route="none", method="GET", status="404") == 1
    assert value(found, "quorate_http_requests_total", route="/signals", method="other", status="405") == 1
    assert value(found, "quorate_http_request_seconds_count", route="/signals/{symbol:path}") == 2


def test_readiness_is_not_counted_as_a_signal(http):
    http.get("/health/ready")
    assert value(read(http), "quorate_signal_seconds_count") == 0


def test_the_bundle_and_the_age_of_the_data(make_service, world):
    newest = int(world.market.candles(world.symbols[0]).time[-1])
    service = make_service(symbols=[world.symbols[0], "NONE/USDT:USDT"], clock=lambda: newest + 3_600_000 + 90_000)
    with client(service) as http:
        found = read(http)
        assert value(found, "quorate_data_age_seconds", symbol=world.symbols[0]) == 90
        assert value(found, "quorate_data_age_seconds", symbol="NONE/USDT:USDT") == float("inf")
        assert value(found, "quorate_bundle_info", bundle=world.ids[0], mode="full") == 1
        assert value(found, "quorate_bundle_members") == value(found, "quorate_bundle_members_loaded") == 2
        assert value(found, "quorate_bar_seconds") == 3_600
        assert value(found, "quorate_bundle_swaps_total", result="swapped") == 0
        http.post(f"/bundles/{world.ids[1]}/promote", json={})
        found = read(http)
        assert value(found, "quorate_bundle_swaps_total", result="swapped") == 1
        assert value(found, "quorate_bundle_info", bundle=world.ids[1], mode="full") == 1
        assert value(found, "quorate_bundle_info", bundle=world.ids[0], mode="full") is None


def test_openmetrics_where_it_is_asked_for(http):
    found = http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert found.headers["Content-Type"].startswith("application/openmetrics-text")
    assert "quorate_http_shed" in {family.name for family in parse_openmetrics(found.text)}


def test_two_services_of_one_process_count_apart(make_service, world):
    with client(make_service()) as first, client(make_service()) as second:
        first.get("/signals")
        assert value(read(first), "quorate_signal_seconds_count") == 1
        assert value(read(second), "quorate_signal_seconds_count") == 0


def test_drift_and_retraining_have_no_figure_without_a_file(http, world):
    names = {name for name, _ in read(http)}
    assert not {name for name in names if "drift" in name or "retraining" in name}
    write_check(world.bundles, replace(DRIFTING, bundle=world.ids[0]))
    assert value(read(http), "quorate_drift_alarm") == 1
    check_path(world.bundles, world.ids[0]).write_text("{")
    assert value(read(http), "quorate_drift_alarm") is None
