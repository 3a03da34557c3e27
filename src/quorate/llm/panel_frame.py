"""A panel's judgement of the entries in frames of decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.types import Action, ActionArray, BoolArray, Candles, DecisionFrame, FloatArray, IntArray, Signal
from quorate.llm.consensus import NO_REPLY, panel_consensus_frame
from quorate.llm.judging_panel import JudgingPanel
from quorate.llm.members_agreement import members_agreement_frame
from quorate.llm.strength import Strength, judge_frame
from quorate.llm.views import ROLES, PanelView

_ROLES = {role: number for number, role in enumerate(ROLES)}


@dataclass(frozen=True, slots=True, eq=False)
class PanelFrame:
    """A panel's judgement of the entries among n bars of one market.

    Attributes:
        row: (m,) int64 rows of the entries in the frame of decisions, increasing.
        strength: (m,) int8, values of Strength.
        agreement, combined, multiplier: (m,) float64.
        share: (n,) float64 share of the ordinary stake on every bar of the frame; 1 on bars without an entry.
        replies: (m,) int64, number of roles that replied.
        contaminated: (m,) bool.
    """

    row: IntArray
    strength: ActionArray
    agreement: FloatArray
    combined: FloatArray
    multiplier: FloatArray
    share: FloatArray
    replies: IntArray
    contaminated: BoolArray


def panel_frames(
    panel: JudgingPanel,
    frames: Mapping[str, DecisionFrame],
    candles: Mapping[str, Candles],
    start: int | None = None,
    end: int | None = None,
) -> dict[str, PanelFrame]:
    """Judge the BUY and SELL decisions of frames, close by close, as paper trading asks.

    Args:
        panel: that judges; of each market it gets the candles up to the close and none after it.
        frames: symbol -> decisions, all of one timeframe.
        candles: symbol -> candles of at least the frames' bars.
        start: only decisions of bars that open at or after it, in ms; None for all.
        end: only decisions of bars that open before it, in ms; None for all.
    """
    asked: dict[int, list[tuple[str, int]]] = {}  # open time -> markets and their rows
    rows = {symbol: _entry_rows(frame, start, end) for symbol, frame in frames.items()}
    for symbol, chosen in rows.items():
        for row, time in zip(chosen.tolist(), frames[symbol].time[chosen].tolist(), strict=True):
            asked.setdefault(time, []).append((symbol, row))
    views: dict[tuple[str, int], PanelView] = {}
    for time in sorted(asked):
        signals = [_signal(frames[symbol], row) for symbol, row in asked[time]]
        bars = {symbol: candles[symbol].between(end=time + 1) for symbol, _ in asked[time]}
        length = timeframe_ms(frames[asked[time][0][0]].timeframe)
        found = panel.source.views(time + length, signals, bars)
        for symbol, row in asked[time]:
            if symbol in found:
                views[symbol, row] = found[symbol]
    none = PanelView()
    return {
        symbol: _judged(panel, frame, rows[symbol], [views.get((symbol, row), none) for row in rows[symbol].tolist()])
        for symbol, frame in frames.items()
    }


def panel_figures(judged: Mapping[str, PanelFrame]) -> dict[str, Any]:
    """What a panel did to the entries of frames, JSON-safe: counts by strength, vetoes, shares, contamination."""
    strengths: Counter[str] = Counter()
    for frame in judged.values():
        strengths.update(Strength(value).name for value in frame.strength.tolist())
    shares = np.concatenate([frame.share[frame.row] for frame in judged.values()] or [np.empty(0)])
    replies = np.concatenate([frame.replies for frame in judged.values()] or [np.empty(0, np.int64)])
    return {
        "entries": len(shares),
        "strengths": {name: strengths[name] for name in Strength.__members__},
        "vetoed": int(np.count_nonzero(shares == 0)),
        "mean_share": float(shares.mean()) if len(shares) else None,
        "without_replies": int(np.count_nonzero(replies == 0)),
        "contaminated": sum(int(np.count_nonzero(frame.contaminated)) for frame in judged.values()),
    }


def _entry_rows(frame: DecisionFrame, start: int | None, end: int | None) -> IntArray:
    wanted = frame.action != Action.HOLD
    if start is not None:
        wanted = wanted & (frame.time >= start)
    if end is not None:
        wanted = wanted & (frame.time < end)
    return np.flatnonzero(wanted)


def _signal(frame: DecisionFrame, row: int) -> Signal:
    """The decision on one bar, without votes: a panel sees the market, not the members."""
    volatility = float(frame.volatility[row])
    return Signal(
        action=Action(int(frame.action[row])),
        confidence=float(np.nan_to_num(frame.confidence[row])),
        consensus=str(frame.consensus[row]),
        rule=str(frame.rule[row]),
        base=float(np.nan_to_num(frame.base[row])),
        volatility=volatility if np.isfinite(volatility) else None,
        votes=(),
        symbol=frame.symbol,
        time=int(frame.time[row]),
        policy=frame.policy,
    )


def _judged(panel: JudgingPanel, frame: DecisionFrame, rows: IntArray, views: list[PanelView]) -> PanelFrame:
    directions = np.full((len(rows), len(ROLES)), NO_REPLY, np.int8)
    confidences = np.zeros((len(rows), len(ROLES)))
    for number, view in enumerate(views):
        for reply in view.replies:
            directions[number, _ROLES[reply.role]] = reply.direction
            confidences[number, _ROLES[reply.role]] = reply.confidence
    consensus = panel_consensus_frame(directions, confidences)
    members = members_agreement_frame(frame)[rows]
    found = judge_frame(frame.action[rows], np.nan_to_num(frame.confidence[rows]), consensus, members)
    replies = (directions != NO_REPLY).sum(axis=1)
    share = np.ones(len(frame))
    share[rows] = np.where(replies > 0, found.share, panel.share_without_replies)
    contaminated = np.array([view.contaminated for view in views], np.bool_)
    judged = (found.strength, found.agreement, found.combined, found.multiplier)
    return PanelFrame(rows, *judged, share, replies, contaminated)
