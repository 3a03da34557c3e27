"""Conversion of decisions to columns of Freqtrade's frame and to tags of its trades."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.types import Action, DecisionFrame, FloatArray, IntArray, Mode
from quorate.ensemble.voting.frame_signals import member_output, signal_at

#: Prefix of the columns that are added to a frame.
PREFIX = "quorate_"

#: Maximum length of a tag in Freqtrade's database.
TAG_LENGTH = 255

# Scores have single precision, and their last bits depend on the number of rows in a batch.
_DIGITS = 4


def empty_columns(rows: int, models: tuple[str, ...], reason: str) -> dict[str, npt.NDArray[Any]]:
    """Columns of a frame without decisions: HOLD on every bar, with the reason as rule. Shapes as `frame_columns`."""
    missing = np.full(rows, np.nan)
    columns: dict[str, npt.NDArray[Any]] = {
        f"{PREFIX}action": np.zeros(rows, np.int64),
        f"{PREFIX}confidence": np.zeros(rows),
        f"{PREFIX}consensus": np.full(rows, "", dtype=object),
        f"{PREFIX}rule": np.full(rows, reason, dtype=object),
        f"{PREFIX}votes": missing.copy(),
        f"{PREFIX}buy": missing.copy(),
        f"{PREFIX}sell": missing.copy(),
        f"{PREFIX}volatility": missing.copy(),
        f"{PREFIX}atr": missing.copy(),
    }
    for model in models:
        columns[f"{PREFIX}{model}"] = missing.copy()
        columns[f"{PREFIX}{model}_says"] = missing.copy()
    return columns


def frame_columns(
    decisions: DecisionFrame, atr: FloatArray, rows: IntArray, length: int, models: tuple[str, ...]
) -> dict[str, npt.NDArray[Any]]:
    """Convert decisions to columns of a frame of `length` rows.

    Args:
        decisions: of n bars.
        atr: (n,) ATR(14) in price units.
        rows: (n,) the frame's row of each bar; the other rows, filled gaps, get no decision.
        length: rows of the frame.
        models: the members, in the bundle's order.

    Returns:
        name -> (length,): `quorate_action` -1 SELL, 0 HOLD, 1 BUY; `quorate_confidence`; `quorate_consensus`;
        `quorate_rule`; `quorate_votes`, the votes for BUY less those for SELL, as a share of the members;
        `quorate_buy` and `quorate_sell`, the ensemble's calibrated probability of either, NaN where it has none;
        `quorate_volatility`; `quorate_atr`; and for each member `quorate_MODEL`, the score of the
        class that it votes for (in a stack the predicted return), and `quorate_MODEL_says` -1, 0, 1; NaN where the
        member abstains. A stack also has `quorate_together`, its predicted return.
    """
    columns = empty_columns(length, models, "no candle")
    columns[f"{PREFIX}action"][rows] = decisions.action.astype(np.int64) - int(Action.HOLD)
    columns[f"{PREFIX}confidence"][rows] = np.round(np.nan_to_num(decisions.confidence), _DIGITS)
    columns[f"{PREFIX}consensus"][rows] = decisions.consensus
    columns[f"{PREFIX}rule"][rows] = decisions.rule
    columns[f"{PREFIX}volatility"][rows] = np.round(decisions.volatility, 6)
    columns[f"{PREFIX}atr"][rows] = _significant(atr)
    if decisions.probabilities is not None:
        for side, action in (("buy", Action.BUY), ("sell", Action.SELL)):
            columns[f"{PREFIX}{side}"][rows] = np.round(decisions.probabilities[:, int(action)], _DIGITS)
    votes = np.zeros(len(rows))
    for model in models:
        score, direction = member_output(decisions, model)
        votes += np.nan_to_num(direction)
        columns[f"{PREFIX}{model}"][rows] = np.round(score, _DIGITS if decisions.predicted is None else 6)
        columns[f"{PREFIX}{model}_says"][rows] = direction
    if models:
        columns[f"{PREFIX}votes"][rows] = np.round(votes / len(models), _DIGITS)
    if decisions.predicted is not None:
        combined = np.full(length, np.nan)
        combined[rows] = np.round(decisions.predicted, 6)
        columns[f"{PREFIX}together"] = combined
    return columns


def tag(decisions: DecisionFrame, row: int, models: tuple[str, ...], mode: Mode) -> str:
    """Format the vote on one bar as one line, cut to `TAG_LENGTH`."""
    return signal_at(decisions, row, models, mode).line()[:TAG_LENGTH]


def short_tag(decisions: DecisionFrame, row: int, models: tuple[str, ...], mode: Mode) -> str:
    """Format the vote on one bar without scores and volatility; a stack's line is the same as in `tag`.

    Freqtrade's backtest report has a row for each distinct tag, and its run time grows with their number.
    """
    line = tag(decisions, row, models, mode)
    return line if decisions.predicted is not None else re.sub(r"(:[A-Z]+) \d+%|( \| vol:.*)$", r"\1", line)


def plot_config(models: tuple[str, ...], *, stack: bool = False) -> Mapping[str, Any]:
    """Plot configuration for Freqtrade's charts: vote, probability, confidence, members' scores and volatility.

    Args:
        models: the members, in the bundle's order.
        stack: they predict returns, and so does the stack; it has a confidence and no probability of BUY or SELL.
    """
    colours = ("#2a9d8f", "#e76f51", "#457b9d", "#e9c46a", "#6d597a", "#8d99ae")
    members = {f"{PREFIX}{model}": {"color": colours[number % len(colours)]} for number, model in enumerate(models)}
    confidence = {f"{PREFIX}confidence": {"color": "#264653"}}
    return {
        "main_plot": {},
        "subplots": {
            "Vote": {
                f"{PREFIX}action": {"color": "#264653", "type": "bar"},
                f"{PREFIX}votes": {"color": "#e9c46a"},
            },
            **(
                {"Predicted return": {f"{PREFIX}together": {"color": "#264653"}, **members}, "Confidence": confidence}
                if stack
                else {
                    "Probability": {f"{PREFIX}buy": {"color": "#2a9d8f"}, f"{PREFIX}sell": {"color": "#e76f51"}},
                    "Confidence": confidence,
                    "Members": members,
                }
            ),
            "Volatility": {f"{PREFIX}volatility": {"color": "#8d99ae"}},
        },
    }


def _significant(values: FloatArray, digits: int = 8) -> FloatArray:
    """Round to significant digits; NaN where not finite or not positive. Prices differ by ten orders of magnitude."""
    known = np.isfinite(values) & (values > 0)
    rounded = np.full(len(values), np.nan)
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(values[known])))
    rounded[known] = np.round(values[known] * scale) / scale
    return rounded
