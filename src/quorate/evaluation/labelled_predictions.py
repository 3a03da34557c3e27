"""The labelled rows on which scores are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.settings import VoteSettings
from quorate.core.types import CLASS_NAMES, ActionArray, Candles, DecisionFrame, FloatArray, IntArray
from quorate.evaluation.metrics.classification import check_scores, voted
from quorate.targets.labels import Target


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPredictions:
    """Rows whose future is known, with each member's scores. Rows of all symbols follow each other.

    Attributes:
        y: (n,) int8 classes.
        forward_return: (n,) float64, fraction.
        time: (n,) int64 open times in ms.
        symbol: (n,) int64, place in `symbols`.
        symbols: names.
        members: model -> (n, 3) float64 raw scores; a NaN row is an abstention.
        action: (n,) int8, what the ensemble decided.

    Raises:
        EvaluationError: lengths that differ, unknown classes, rows that are not scores.
    """

    y: ActionArray
    forward_return: FloatArray
    time: IntArray
    symbol: IntArray
    symbols: tuple[str, ...]
    members: Mapping[str, FloatArray]
    action: ActionArray

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("y", "forward_return", "time", "symbol", "action")}
        if len(set(lengths.values())) > 1:
            raise EvaluationError("judge scores", found=f"columns of {lengths} rows", expected="one length")
        for scores in self.members.values():
            check_scores(self.y, scores)

    def __len__(self) -> int:
        return len(self.y)

    @classmethod
    def of(cls, frames: Mapping[str, DecisionFrame], candles: Mapping[str, Candles], target: Target) -> Self:
        """Every bar of the frames whose class is known; a member that a frame lacks abstained there.

        The label of a bar may read candles after the frame's end, as long as `candles` holds them: that is what is
        predicted, and it is used for judging only.

        Raises:
            EvaluationError: a frame without candles, or with a bar that they do not hold.
        """
        names = tuple(dict.fromkeys(model for frame in frames.values() for model in frame.scores))
        parts: list[tuple[ActionArray, FloatArray, IntArray, IntArray, ActionArray]] = []
        members: dict[str, list[FloatArray]] = {name: [] for name in names}
        for place, (symbol, frame) in enumerate(frames.items()):
            at = _places(frame, candles.get(symbol))
            labels = target.label(candles[symbol])
            known = labels.known[at] & np.isfinite(labels.forward_return[at])
            rows = at[known]
            parts.append(
                (
                    labels.y[rows],
                    labels.forward_return[rows],
                    frame.time[known],
                    np.full(len(rows), place, np.int64),
                    frame.action[known],
                )
            )
            for name in names:
                scores = frame.scores.get(name)
                members[name].append(
                    np.full((len(rows), len(CLASS_NAMES)), np.nan) if scores is None else scores[known]
                )
        if not parts:
            raise EvaluationError("judge scores", found="no symbol", expected="at least one frame")
        y, forward_return, time, number, action = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(
            y=y,
            forward_return=forward_return,
            time=time,
            symbol=number,
            symbols=tuple(frames),
            members={name: np.concatenate(scores) for name, scores in members.items()},
            action=action,
        )

    def ensemble(self, settings: VoteSettings) -> FloatArray:
        """(n, 3) the members' raw scores, averaged with the vote's weights over those that voted in that row.

        This is what the ensemble as a whole leans to. It is neither calibrated nor the vote's confidence.
        """
        return mean_scores(self.members, settings)


def mean_scores(members: Mapping[str, FloatArray], settings: VoteSettings) -> FloatArray:
    """(n, 3) weighted mean of raw scores over the members that voted; NaN where all abstained.

    >>> one, two = np.array([[0.2, 0.2, 0.6]]), np.array([[0.4, 0.4, 0.2]])
    >>> mean_scores({"xgboost": one, "lightgbm": two}, VoteSettings()).round(6).tolist()
    [[0.3, 0.3, 0.4]]
    """
    if not members:
        raise EvaluationError("average the members", found="no member", expected="at least one")
    total = np.zeros_like(next(iter(members.values())), dtype=np.float64)
    weights = np.zeros(len(total))
    for name, scores in members.items():
        rows = voted(scores)
        total[rows] += settings.weight(name) * scores[rows]
        weights[rows] += settings.weight(name)
    return np.asarray(total / np.where(weights > 0, weights, np.nan)[:, None])


def _places(frame: DecisionFrame, candles: Candles | None) -> IntArray:
    """(bars,) where each bar of the frame is among the candles."""
    if candles is None:
        raise EvaluationError(f"label the bars of {frame.symbol}", found="no candles of it", expected="its candles")
    at = np.searchsorted(candles.time, frame.time)
    here = at < len(candles)
    if not here.all() or (candles.time[at] != frame.time).any():
        raise EvaluationError(
            f"label the bars of {frame.symbol}",
            found="a bar that its candles do not hold",
            expected="the candles that were predicted on",
        )
    return np.asarray(at, np.int64)
