"""The evaluation of a book along monthly refits, in Python and on the command line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import parse_ms
from quorate.core.errors import ArgumentError
from quorate.core.settings import AccountSettings, BookSettings, Settings
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.book.evaluate import evaluate_book
from quorate.workflows.runs.trials import RunRecord

SETTINGS = replace(
    Settings(),
    book=BookSettings(markets=8, carry_markets=8, members=("logistic",), quorum=1, earlier_trials=9),
    account=AccountSettings(equity_usd=100_000.0),
)


def evaluated(edge, tmp_path, **changes):
    market = SyntheticMarket(seed=3, symbols=10, bars=2_100, timeframe="4h", edge=edge)
    settings = replace(SETTINGS, book=replace(SETTINGS.book, **changes))
    record = RunRecord(path=tmp_path / "trials.jsonl")
    return evaluate_book(market, settings=settings, start="2024-08-01", record=record)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return evaluated(0.05, tmp_path_factory.mktemp("planted"))


def test_a_planted_effect_is_found(planted):
    document = planted.to_json()
    assert document["whole"]["sharpe_ci"][0] > 1
    assert document["account"]["stats"]["sharpe_ci"][0] > 1
    assert document["deflation"]["trials"] == 10  # nine before, and this one
    assert document["account"]["deflation"]["recorded"] == 1
    assert document["placebo"]["shuffled"]["share_above"] == 0
    json.dumps(document, allow_nan=False)


def test_a_control_is_not(tmp_path):
    document = evaluated(0.0, tmp_path).to_json()
    assert document["whole"]["sharpe_ci"][0] < 0.5
    assert document["deflation"]["probability"] < 0.9


def test_the_page_is_written(planted, tmp_path):
    page = planted.report(tmp_path / "deep" / "book.html")
    assert "SYNTHETIC" in page.read_text()
    assert page.stat().st_size < 3_000_000


def test_forecasts_can_be_used_again(planted, tmp_path):
    market = SyntheticMarket(seed=3, symbols=10, bars=2_100, timeframe="4h", edge=0.05)
    record = RunRecord(log=False)
    again = evaluate_book(market, forecasts=planted.forecasts, settings=SETTINGS, start="2024-08-01", record=record)
    np.testing.assert_array_equal(again.result.equity_usd, planted.result.equity_usd)
    assert again.to_json()["whole"] == planted.to_json()["whole"]


def test_no_figure_depends_on_later_candles(planted):
    end = parse_ms("2024-10-20")
    market = SyntheticMarket(seed=3, symbols=10, bars=2_100, timeframe="4h", edge=0.05)
    part = evaluate_book(market, settings=SETTINGS, start="2024-08-01", end=end, record=RunRecord(log=False))
    count = int(np.searchsorted(planted.result.time, end)) - 1
    np.testing.assert_array_equal(part.result.equity_usd[:count], planted.result.equity_usd[:count])


def test_a_start_is_needed():
    market = SyntheticMarket(seed=3, symbols=2, bars=60, timeframe="4h")
    with pytest.raises(ArgumentError, match="no `start`"):
        evaluate_book(market, settings=SETTINGS)
