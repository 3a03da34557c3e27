"""Labelled rows with the scores of every member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.settings import VoteSettings
from quorate.core.types import CLASS_NAMES, ActionArray, Candles, DecisionFrame, FloatArray, IntArray
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.metrics.classification import check_scores
from quorate.targets.labels import Target


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPredictions:
    """Rows with a known label and each member's scores; rows of all symbols are concatenated.

    Attributes:
        y: (n,) int8 classes.
        forward_return: (n,) float64, fraction.
        time: (n,) int64 open times in ms.
        symbol: (n,) int64, index into `symbols`.
        symbols: names.
        members: model -> (n, 3) float64 raw scores; a NaN row is an abstention.
        action: (n,) int8, the ensemble's decision.
        voting: the members' scores on the rows on which they are chosen to vote; None where all vote.

    Raises:
        EvaluationError: the lengths differ, a class is unknown, or a row of scores is invalid.
    """

    y: ActionArray
    forward_return: FloatArray
    time: IntArray
    symbol: IntArray
    symbols: tuple[str, ...]
    members: Mapping[str, FloatArray]
    action: ActionArray
    voting: Mapping[str, FloatArray] | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("y", "forward_return", "time", "symbol", "action")}
        if len(set(lengths.values())) > 1:
            raise EvaluationError("evaluate scores", found=f"columns of {lengths} rows", expected="one length")
        for scores in self.members.values():
            check_scores(self.y, scores)

    def __len__(self) -> int:
        return len(self.y)

    @classmethod
    def of(cls, frames: Mapping[str, DecisionFrame], candles: Mapping[str, Candles], target: Target) -> Self:
        """Every bar of the frames with a known label; a member without scores in a frame abstains there.

        A label may read candles after the end of the frame if `candles` has them: they are what is predicted, and are
        used for evaluation only.

        Args:
            frames: symbol -> decisions.
            candles: symbol -> candles, with every bar of the frame.
            target: what is predicted.

        Raises:
            EvaluationError: no frame, a frame without candles, or a bar that is missing from them.
        """
        names = tuple(dict.fromkeys(model for frame in frames.values() for model in frame.scores))
        parts: list[tuple[ActionArray, FloatArray, IntArray, IntArray, ActionArray]] = []
        members: dict[str, list[FloatArray]] = {name: [] for name in names}
        voting: dict[str, list[FloatArray]] = {name: [] for name in names}
        for place, (symbol, frame) in enumerate(frames.items()):
            at = _rows_of(frame, candles.get(symbol))
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
                absent = np.full((len(rows), len(CLASS_NAMES)), np.nan)
                own = frame.scores[name][known] if name in frame.scores else absent
                voting[name].append(own)
                others = frame.unselected.get(name)
                members[name].append(own if others is None else np.where(np.isfinite(own), own, others[known]))
        if not parts:
            raise EvaluationError("evaluate scores", found="no symbol", expected="at least one frame")
        y, forward_return, time, number, action = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(
            y=y,
            forward_return=forward_return,
            time=time,
            symbol=number,
            symbols=tuple(frames),
            members={name: np.concatenate(scores) for name, scores in members.items()},
            action=action,
            voting={name: np.concatenate(scores) for name, scores in voting.items()}
            if any(frame.unselected for frame in frames.values())
            else None,
        )

    def ensemble(self, settings: VoteSettings) -> FloatArray:
        """(n, 3) mean of the members' raw scores, with the vote's weights over the members that voted in each row.

        Members that were not chosen to vote on a row are left out of it. The mean is neither calibrated nor the vote's
        confidence; it is NaN where all members abstained.

        Raises:
            EvaluationError: there is no member.
        """
        if not self.members:
            raise EvaluationError("average the members' scores", found="no member", expected="at least one")
        return mean_scores(self.members if self.voting is None else self.voting, settings)


def _rows_of(frame: DecisionFrame, candles: Candles | None) -> IntArray:
    """(bars,) row of each bar of the frame in the candles."""
    if candles is None:
        raise EvaluationError(f"label the bars of {frame.symbol}", found="no candles of it", expected="its candles")
    at = np.searchsorted(candles.time, frame.time)
    here = at < len(candles)
    if not here.all() or (candles.time[at] != frame.time).any():
        raise EvaluationError(
            f"label the bars of {frame.symbol}",
            found="a bar that is missing from its candles",
            expected="the candles that were predicted",
        )
    return np.asarray(at, np.int64)
