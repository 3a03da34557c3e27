"""Thirds of the markets by quote volume, and the skill in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.settings import EvaluationSettings, VoteSettings
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.market_groups import skill_by_group, volume_groups
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

SYMBOLS = tuple(f"{letter * 3}/USDT:USDT" for letter in "ABCDE")
VOLUMES = (10.0, 1_000.0, 3.0, 200.0, 7.0)


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Any]) -> Any:
    made = make_run(symbols=SYMBOLS, bars=240)
    traded = dict(zip(SYMBOLS, VOLUMES, strict=True))
    candles = {
        symbol: replace(bars, volume=np.full(len(bars), traded[symbol])) for symbol, bars in made.candles.items()
    }
    return replace(made, candles=candles)


def test_the_largest_third_comes_first_and_takes_the_remainder(run: Any) -> None:
    groups = volume_groups(run.frames, run.candles)
    assert [[symbol[0] for symbol in symbols] for symbols in groups.values()] == [["B", "D"], ["A", "E"], ["C"]]
    assert list(groups) == ["large", "middle", "small"]


def test_volume_outside_the_evaluated_bars_does_not_count(run: Any) -> None:
    candles = dict(run.candles)
    small = SYMBOLS[2]
    volume = candles[small].volume.copy()
    volume[:100] = 1e9
    candles[small] = replace(candles[small], volume=volume)
    later = {symbol: frame.between(int(frame.time[100])) for symbol, frame in run.frames.items()}
    assert volume_groups(later, candles)["small"] == (small,)
    assert volume_groups(run.frames, candles)["large"][0] == small


def test_two_markets_are_no_groups(run: Any) -> None:
    few = {symbol: run.frames[symbol] for symbol in SYMBOLS[:2]}
    assert volume_groups(few, run.candles) == {}
    assert volume_groups(run.frames, {}) == {}


def test_figures_of_a_group_are_those_of_its_rows(run: Any) -> None:
    sample, prior = run.sample, class_prior(run.sample.y)
    scores = sample.ensemble(VoteSettings())
    groups = volume_groups(run.frames, run.candles)
    blocks = TimeBlocks(sample.time, EvaluationSettings(resamples=50))
    table = skill_by_group(sample, {"ensemble": scores}, prior, blocks, groups)
    assert [row["group"] for row in table] == ["large", "middle", "small"]
    assert sum(row["rows"] for row in table) == len(sample)
    for row in table:
        rows = np.isin(np.array(sample.symbols)[sample.symbol], row["symbols"])
        figures = row["models"]["ensemble"]
        expected = classification.skill_vs_prior(sample.y[rows], scores[rows], prior)
        assert figures["skill_vs_prior"] == pytest.approx(expected, rel=1e-12)
        parts = figures["skill"]
        assert parts["volatility"] + parts["direction"] == pytest.approx(expected, abs=1e-12)
