"""Skill by group of markets: thirds by quote volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quorate.core.types import Candles, DecisionFrame, FloatArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.skill_split import split_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

_GROUPS = ("large", "middle", "small")


def volume_groups(frames: Mapping[str, DecisionFrame], candles: Mapping[str, Candles]) -> dict[str, tuple[str, ...]]:
    """Group -> symbols: thirds by the mean quote volume of a bar over the span of each frame, largest first.

    Args:
        frames: symbol -> evaluated bars; markets without any are left out.
        candles: symbol -> candles.

    Returns:
        Empty with fewer than three markets.
    """
    volume: dict[str, float] = {}
    for symbol, frame in frames.items():
        if symbol in candles and len(frame):
            bars = candles[symbol].between(int(frame.time[0]), int(frame.time[-1]) + 1)
            volume[symbol] = float(np.mean(bars.close * bars.volume))
    if len(volume) < len(_GROUPS):
        return {}
    ranked = sorted(volume, key=lambda symbol: -volume[symbol])
    parts = np.array_split(np.arange(len(ranked)), len(_GROUPS))
    return {name: tuple(ranked[place] for place in part) for name, part in zip(_GROUPS, parts, strict=True)}


def skill_by_group(
    sample: LabelledPredictions,
    models: Mapping[str, FloatArray],
    prior: FloatArray,
    blocks: TimeBlocks,
    groups: Mapping[str, tuple[str, ...]],
) -> list[dict[str, Any]]:
    """Skill over the class prior and its parts, of each model in each group of markets, JSON-safe.

    Args:
        sample: labelled rows.
        models: name -> (n, 3) scores; NaN rows are abstentions.
        prior: (3,) class shares of the training rows, or (n, 3).
        blocks: of the sample's times.
        groups: name -> symbols.
    """
    shares = classification.prior_scores(prior, len(sample))
    table = []
    for group, symbols in groups.items():
        own = np.isin(sample.symbol, [place for place, name in enumerate(sample.symbols) if name in symbols])
        found = {}
        for name, scores in models.items():
            rows = own & classification.voted(scores)
            found[name] = _figures(sample, scores, shares, blocks, np.asarray(rows))
        table.append({"group": group, "symbols": list(symbols), "rows": int(own.sum()), "models": found})
    return table


def _figures(
    sample: LabelledPredictions, scores: FloatArray, shares: FloatArray, blocks: TimeBlocks, rows: Any
) -> dict[str, Any]:
    y, own, prior, part = sample.y[rows], scores[rows], shares[rows], blocks.select(rows)
    why = classification.why_no_skill(y, prior)
    loss, reference = classification.row_log_loss(y, own), classification.row_log_loss(y, prior)
    figures = Figures()
    figures.add("skill_vs_prior", None if why else classification.skill_of(loss, reference), why)
    interval = None if why else part.interval(1 - part.ratios(loss, reference))
    figures.add_interval("skill_vs_prior_ci", interval, why or f"{blocks.count} blocks of time are too few")
    return {**figures.to_json(), "skill": split_figures(y, own, prior, part)}
