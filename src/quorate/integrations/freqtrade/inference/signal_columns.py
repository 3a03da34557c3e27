"""Decisions as the columns of Freqtrade's frame, and as the tags of its trades."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.types import (
    Abstention,
    Action,
    DecisionFrame,
    FloatArray,
    Forecast,
    IntArray,
    Mode,
    Signal,
    Vote,
)
from quorate.ensemble.voting.vote_frame import top_class

#: What every column of ours begins with.
PREFIX = "quorate_"

#: Freqtrade's database keeps no longer a tag.
TAG_LENGTH = 255

# Scores are single precision, and a graph's last bits depend on how many rows it was asked about. Nobody reads more.
_DIGITS = 4


def empty_columns(rows: int, models: tuple[str, ...], reason: str) -> dict[str, npt.NDArray[Any]]:
    """The columns of a frame without decisions: nothing is said on any bar, for one reason."""
    nothing = np.full(rows, np.nan)
    columns: dict[str, npt.NDArray[Any]] = {
        f"{PREFIX}action": np.zeros(rows, np.int64),
        f"{PREFIX}confidence": np.zeros(rows),
        f"{PREFIX}consensus": np.full(rows, "", dtype=object),
        f"{PREFIX}rule": np.full(rows, reason, dtype=object),
        f"{PREFIX}volatility": nothing.copy(),
        f"{PREFIX}atr": nothing.copy(),
    }
    for model in models:
        columns[f"{PREFIX}{model}"] = nothing.copy()
        columns[f"{PREFIX}{model}_says"] = nothing.copy()
    return columns


def frame_columns(
    decisions: DecisionFrame, atr: FloatArray, rows: IntArray, length: int, models: tuple[str, ...]
) -> dict[str, npt.NDArray[Any]]:
    """Every bar's own decision, as columns of a frame of `length` rows.

    Args:
        decisions: of n bars.
        atr: (n,) ATR(14) in price units.
        rows: (n,) the frame's row of each bar; the others (filled gaps) get no decision.
        length: rows of the frame.
        models: the members, in the bundle's order.

    Returns:
        name -> (length,): `quorate_action` -1 SELL, 0 HOLD, 1 BUY; `quorate_confidence`; `quorate_consensus`;
        `quorate_rule`; `quorate_volatility`; `quorate_atr`; and of each member `quorate_MODEL`, the score of the class
        that it votes for (of a stack the return that it predicts), and `quorate_MODEL_says` -1, 0, 1; NaN where it
        abstains.
    """
    columns = empty_columns(length, models, "no candle")
    columns[f"{PREFIX}action"][rows] = decisions.action.astype(np.int64) - int(Action.HOLD)
    columns[f"{PREFIX}confidence"][rows] = np.round(np.nan_to_num(decisions.confidence), _DIGITS)
    columns[f"{PREFIX}consensus"][rows] = decisions.consensus
    columns[f"{PREFIX}rule"][rows] = decisions.rule
    columns[f"{PREFIX}volatility"][rows] = np.round(decisions.volatility, 6)
    columns[f"{PREFIX}atr"][rows] = _significant(atr)
    for model in models:
        score, says = _said(decisions, model)
        columns[f"{PREFIX}{model}"][rows] = np.round(score, _DIGITS if decisions.predicted is None else 6)
        columns[f"{PREFIX}{model}_says"][rows] = says
    if decisions.predicted is not None:
        together = np.full(length, np.nan)
        together[rows] = np.round(decisions.predicted, 6)
        columns[f"{PREFIX}together"] = together
    return columns


def tag(decisions: DecisionFrame, row: int, models: tuple[str, ...], mode: Mode) -> str:
    """The one-line vote of one bar, no longer than Freqtrade keeps."""
    return told(decisions, row, models, mode).line()[:TAG_LENGTH]


def short_tag(decisions: DecisionFrame, row: int, models: tuple[str, ...], mode: Mode) -> str:
    """The same without scores and volatility, of a vote: what many entries have in common. A stack's stays whole.

    Freqtrade's report of a backtest has a line for every tag, and takes its time for each.
    """
    line = tag(decisions, row, models, mode)
    return line if decisions.predicted is not None else re.sub(r"(:[A-Z]+) \d+%|( \| vol:.*)$", r"\1", line)


def told(decisions: DecisionFrame, row: int, models: tuple[str, ...], mode: Mode) -> Signal:
    """One bar of a frame as the signal that it is."""
    votes: list[Vote] = []
    forecasts: list[Forecast] = []
    silent: list[Abstention] = []
    for model in models:
        score, says = _said(decisions, model, slice(row, row + 1))
        if np.isnan(says[0]):
            silent.append(Abstention(model, "no score on this bar"))
        elif decisions.predicted is None:
            votes.append(Vote(model, Action(int(says[0]) + int(Action.HOLD)), float(score[0])))
        else:
            forecasts.append(Forecast(model, float(score[0]), Action(int(says[0]) + int(Action.HOLD))))
    volatility = float(decisions.volatility[row])
    predicted = None if decisions.predicted is None else float(decisions.predicted[row])
    return Signal(
        action=Action(int(decisions.action[row])),
        confidence=float(np.nan_to_num(decisions.confidence[row])),
        consensus=str(decisions.consensus[row]),
        rule=str(decisions.rule[row]),
        base=float(np.nan_to_num(decisions.base[row])),
        volatility=volatility if np.isfinite(volatility) else None,
        votes=tuple(votes),
        abstentions=tuple(silent),
        mode=mode,
        symbol=decisions.symbol,
        time=int(decisions.time[row]),
        policy=decisions.policy,
        forecasts=tuple(forecasts),
        predicted_return=predicted if predicted is None or np.isfinite(predicted) else None,
    )


def plot_config(models: tuple[str, ...]) -> Mapping[str, Any]:
    """What Freqtrade's charts show: the decision and its confidence, and below it what every member says."""
    colours = ("#2a9d8f", "#e76f51", "#457b9d", "#e9c46a", "#6d597a", "#8d99ae")
    members = {f"{PREFIX}{model}": {"color": colours[place % len(colours)]} for place, model in enumerate(models)}
    return {
        "main_plot": {},
        "subplots": {
            "Decision": {f"{PREFIX}action": {"color": "#264653", "type": "bar"}},
            "Confidence": {f"{PREFIX}confidence": {"color": "#264653"}},
            "Members": members,
            "Volatility": {f"{PREFIX}volatility": {"color": "#8d99ae"}},
        },
    }


def _said(decisions: DecisionFrame, model: str, rows: slice = slice(None)) -> tuple[FloatArray, FloatArray]:
    """What one member says on each bar: its score (or predicted return), and -1, 0, 1; NaN where it abstains."""
    length = len(decisions.time[rows])
    silent = np.full(length, np.nan)
    if model in decisions.scores:
        action, score = top_class(decisions.scores[model][rows])
        return score, np.where(np.isnan(score), np.nan, action - float(Action.HOLD))
    if model in decisions.forecasts:
        predicted = decisions.forecasts[model][rows]
        return predicted, np.where(np.isnan(predicted), np.nan, np.sign(predicted))
    return silent, silent.copy()


def _significant(values: FloatArray, digits: int = 8) -> FloatArray:
    """Rounded to so many significant digits: prices of coins differ by ten powers of ten."""
    known = np.isfinite(values) & (values > 0)
    rounded = np.full(len(values), np.nan)
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(values[known])))
    rounded[known] = np.round(values[known] * scale) / scale
    return rounded
