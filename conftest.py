"""Marks every test `unit` or `integration`, and leaves Freqtrade's files out where Freqtrade is not installed.

Integration tests start programs or servers, train networks or ensembles, or take more than a second. They are
the folders and files of `INTEGRATION`, and single tests with the mark; every other test is a unit test.
`make fast` runs the unit tests and shows those that take more than a second: make such a test smaller, or mark it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

# Below tests/.
INTEGRATION = (
    "benchmarks",
    "cli",
    "containers",
    "contracts",
    "ensemble/bundle",
    "ensemble/calibration/test_calibration.py",
    "ensemble/inference/test_predictor.py",
    "ensemble/series",
    "ensemble/stack/test_out_of_fold.py",
    "ensemble/stack/test_training.py",
    "ensemble/training",
    "ensemble/voting/test_vote.py",
    "evaluation/cards",
    "evaluation/report/test_book_page.py",
    "evaluation/report/test_html.py",
    "evaluation/test_controls.py",
    "evaluation/walk_forward/test_permutation_importance.py",
    "evaluation/walk_forward/test_walk.py",
    "examples",
    "features/test_indicators.py",
    "golden",
    "integrations",
    "lifecycle/bench/test_check.py",
    "lifecycle/bench/test_replay.py",
    "lifecycle/bench/test_watch.py",
    "lifecycle/challenge/test_challenge.py",
    "lifecycle/drift/test_check.py",
    "lifecycle/drift/test_watch.py",
    "lifecycle/explain/test_attribution.py",
    "lifecycle/explain/test_explain_signal.py",
    "lifecycle/explain/test_mean_contributions.py",
    "lifecycle/online",
    "lifecycle/retrain/test_bundle_settings.py",
    "lifecycle/retrain/test_exchange.py",
    "lifecycle/retrain/test_kinds.py",
    "lifecycle/retrain/test_notice.py",
    "lifecycle/retrain/test_retrain.py",
    "lifecycle/retrain/test_run_log.py",
    "lifecycle/retrain/test_scheduler.py",
    "lifecycle/retrain/test_year.py",
    "lifecycle/sizing",
    "lifecycle/tune",
    "lifecycle/weights",
    "llm/test_client.py",
    "llm/test_live_panel.py",
    "llm/test_panel_session.py",
    "llm/test_subset.py",
    "market/exchange",
    "market/test_freqtrade_config.py",
    "models/native_trees",
    "models/networks",
    "models/pretrained",
    "packaging",
    "serving/access/test_access_control.py",
    "serving/access/test_browser.py",
    "serving/access/test_login.py",
    "serving/access/test_program.py",
    "serving/access/test_service.py",
    "serving/dashboard/test_account.py",
    "serving/dashboard/test_browser.py",
    "serving/dashboard/test_bundles.py",
    "serving/dashboard/test_exchange.py",
    "serving/dashboard/test_guards.py",
    "serving/dashboard/test_market.py",
    "serving/dashboard/test_now.py",
    "serving/dashboard/test_recipes.py",
    "serving/dashboard/test_stream.py",
    "serving/live/test_session.py",
    "serving/live/test_stream.py",
    "serving/test_bundles.py",
    "serving/test_candles.py",
    "serving/test_champion.py",
    "serving/test_connections.py",
    "serving/test_health.py",
    "serving/test_hostile.py",
    "serving/test_live_candles.py",
    "serving/test_metrics.py",
    "serving/test_openapi.py",
    "serving/test_overload.py",
    "serving/test_paper.py",
    "serving/test_replay.py",
    "serving/test_server.py",
    "serving/test_signals.py",
    "stubs",
    "test_docs.py",
    "test_freqtrade_page.py",
    "trading/guards/test_states.py",
    "trading/journal",
    "trading/paper",
    "trading/test_oracle.py",
    "trading/test_webhook.py",
    "workflows",
)

_TESTS = Path(__file__).parent / "tests"
_PLACES = tuple(_TESTS / place for place in INTEGRATION)
_FREQTRADE = (
    "book_strategy",
    "freqai_model",
    "freqai_strategy",
    "hybrid_strategy",
    "planned_strategy",
    "vote_strategy",
)

# Only Freqtrade's own environment can import these; elsewhere their doctests are not collected.
collect_ignore = (
    []
    if find_spec("freqtrade")
    else [f"src/quorate/integrations/freqtrade/strategies/{name}.py" for name in _FREQTRADE]
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import integration tests where only unit tests run."""
    return True if config.getoption("markexpr") == "unit" and collection_path in _PLACES else None


@pytest.hookimpl(tryfirst=True)  # before -m selects by these marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marked = item.get_closest_marker("integration") or item.get_closest_marker("slow")
        if marked or any(item.path.is_relative_to(place) for place in _PLACES):
            item.add_marker("integration")
        else:
            item.add_marker("unit")
