"""Trades by market, side and exit, worked by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from quorate.core.settings import EvaluationSettings
from quorate.evaluation.metrics.trades import trade_groups
from quorate.evaluation.report.trade_group_tables import trade_group_tables


def test_groups_are_counted_and_summed(make_trade: Callable[..., Any], make_result: Callable[..., Any]) -> None:
    trades = [
        make_trade(2.0, hours=4),
        make_trade(-1.0, hours=8, side=-1),
        make_trade(3.0, symbol="BBB/USDT:USDT", hours=60, reason="time"),
    ]
    found = trade_groups(make_result(trades, np.full(200, 1_000.0)), EvaluationSettings())
    first, second = found["symbols"]
    assert (first["name"], first["n"], first["wins"], first["net_usd"]) == ("AAA/USDT:USDT", 2, 1, pytest.approx(1.0))
    assert (first["mean_hours"], first["longest_hours"], first["worst_usd"]) == (6.0, 8.0, pytest.approx(-1.0))
    assert first["expectancy_bps"] == pytest.approx(50.0)  # +2 % and -1 % of 100
    assert second["net_usd"] == pytest.approx(3.0)
    assert {row["name"]: row["n"] for row in found["sides"]} == {"long": 2, "short": 1}
    assert {row["name"]: row["n"] for row in found["exits"]} == {"target": 1, "stop": 1, "time": 1}
    exits, _, markets = trade_group_tables(found)
    assert [row[0].text for row in exits.rows] == ["stop", "target", "time"]
    assert [cell.text for cell in markets.rows[1]] == ["BBB/USDT:USDT", "1", "100.00 %", "+300.0 bps", "$3.00", "2.5 d"]
