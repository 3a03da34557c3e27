from __future__ import annotations

import time as clock

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.rank_correlation import average_ranks

SETTINGS = EvaluationSettings()


def test_a_block_is_a_utc_day_over_all_symbols() -> None:
    time = np.array([0, HOUR_MS, 23 * HOUR_MS, DAY_MS, 5 * DAY_MS + 1, 0])
    blocks = TimeBlocks(time, SETTINGS)
    assert blocks.block.tolist() == [0, 0, 0, 1, 2, 0]
    assert blocks.count == 3
    assert (blocks.draws.sum(axis=1) == 3).all()
    four_hours = TimeBlocks(time, EvaluationSettings(block_hours=4))
    assert four_hours.block.tolist() == [0, 0, 1, 2, 3, 0]


def test_sums_equal_resampling_the_rows_themselves() -> None:
    rng = np.random.default_rng(1)
    time = rng.integers(0, 8, 50) * DAY_MS
    values = rng.normal(size=50)
    values[7] = np.nan
    blocks = TimeBlocks(time, SETTINGS)
    for draw, total, mean in zip(blocks.draws, blocks.sums(values), blocks.means(values), strict=True):
        rows = np.repeat(values, draw[blocks.block].astype(int))
        assert total == pytest.approx(np.nansum(rows))
        assert mean == pytest.approx(np.nanmean(rows))


def test_areas_equal_a_weighted_roc_curve() -> None:
    rng = np.random.default_rng(2)
    n = 6_000  # more rows than rank bins, so that the bins are exercised
    score = np.round(rng.normal(size=n), 3)
    positive = rng.random(n) < 1 / (1 + np.exp(-score))
    blocks = TimeBlocks(rng.integers(0, 12, n) * DAY_MS, EvaluationSettings(resamples=20))
    for draw, area in zip(blocks.draws, blocks.aucs(positive, average_ranks(score)), strict=True):
        weight = draw[blocks.block]
        assert area == pytest.approx(roc_auc_score(positive, score, sample_weight=weight), abs=1 / 4096)


def test_areas_of_few_rows_are_exact() -> None:
    rng = np.random.default_rng(3)
    score, positive = rng.integers(0, 9, 60) / 8, rng.random(60) < 0.4
    blocks = TimeBlocks(rng.integers(0, 6, 60) * DAY_MS, EvaluationSettings(resamples=20))
    for draw, area in zip(blocks.draws, blocks.aucs(positive, average_ranks(score)), strict=True):
        weight = draw[blocks.block]
        assert area == pytest.approx(roc_auc_score(positive, score, sample_weight=weight), abs=1e-12)


def test_correlations_follow_the_drawn_rows() -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=3_000)
    b = 0.3 * a + rng.normal(size=3_000)
    blocks = TimeBlocks(rng.integers(0, 30, 3_000) * DAY_MS, EvaluationSettings(resamples=20))
    for draw, value in zip(blocks.draws, blocks.correlations(average_ranks(a), average_ranks(b)), strict=True):
        rows = np.repeat(np.arange(3_000), draw[blocks.block].astype(int))
        assert value == pytest.approx(stats.spearmanr(a[rows], b[rows]).statistic, abs=5e-3)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    # Days share a shock, so rows that are taken as independent would give intervals that miss far too often.
    rng = np.random.default_rng(5)
    day = np.repeat(np.arange(60), 20)
    hit, hit_rows, runs = 0, 0, 250
    for run in range(runs):
        values = rng.normal(size=60)[day] + rng.normal(size=len(day))
        blocks = TimeBlocks(day * DAY_MS, EvaluationSettings(resamples=300, confidence=0.9, seed=run))
        low, high = blocks.interval(blocks.means(values)) or (1, -1)
        hit += low <= 0 <= high
        reach = 1.645 * values.std() / np.sqrt(len(values))
        hit_rows += abs(values.mean()) <= reach
    assert 0.84 <= hit / runs <= 0.95
    assert hit_rows / runs < 0.6


def test_the_same_seed_gives_the_same_interval_and_a_part_keeps_the_draws() -> None:
    rng = np.random.default_rng(6)
    time, values = rng.integers(0, 20, 300) * DAY_MS, rng.normal(size=300)
    first, second = TimeBlocks(time, SETTINGS), TimeBlocks(time, SETTINGS)
    assert first.interval(first.means(values)) == second.interval(second.means(values))
    other = TimeBlocks(time, EvaluationSettings(seed=8))
    assert other.interval(other.means(values)) != first.interval(first.means(values))
    rows = values > 0
    kept = first.select(rows).means(values[rows])
    assert kept.tolist() == first.means(np.where(rows, values, np.nan)).tolist()


@pytest.mark.parametrize("days", [0, 1, 4])
def test_too_few_blocks_have_no_interval(days: int) -> None:
    blocks = TimeBlocks(np.arange(days) * DAY_MS, SETTINGS)
    assert blocks.interval(blocks.means(np.ones(days))) is None


def test_resamples_without_a_class_are_left_out() -> None:
    blocks = TimeBlocks(np.arange(5) * DAY_MS, SETTINGS)
    areas = blocks.aucs(np.array([True, False, False, False, False]), np.array([5.0, 1.0, 2.0, 3.0, 4.0]))
    assert np.isnan(areas).any()
    assert blocks.interval(areas) == (1.0, 1.0)


def test_the_resamples_of_a_large_sample_are_quick() -> None:
    rng = np.random.default_rng(7)
    n = 180_000
    blocks = TimeBlocks(rng.integers(0, 75, n) * DAY_MS, SETTINGS)
    score, positive = rng.random(n), rng.random(n) < 0.3
    began = clock.process_time()
    blocks.means(score)
    blocks.aucs(positive, average_ranks(score))
    assert clock.process_time() - began < 5  # far above what it takes; a loop over resamples takes minutes
