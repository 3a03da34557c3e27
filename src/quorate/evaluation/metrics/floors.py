"""What each floor on the confidence would have done, by the classic vote and by consensus, on the same bars.

Signals are measured as in `signal_outcomes.py`: from the bar's close to the label's last close, less a round trip's
costs, without an account. Weights, quorum and volatility gate are those of the settings; only the floor changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.settings import Settings
from quorate.core.types import Action, ActionArray, BoolArray, Candles, DecisionFrame, FloatArray, IntArray
from quorate.ensemble.voting.any_policy import AnyPolicy, with_vote
from quorate.ensemble.voting.consensus_policy import CONSENSUS, ConsensusPolicy
from quorate.ensemble.voting.policies import TOLERANCE
from quorate.ensemble.voting.vote_frame import Decisions, decide_frame
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.block_bootstrap import FEWEST_BLOCKS, TimeBlocks
from quorate.targets import ForwardClass, Target

_NO_SIGNAL = "no signal at this floor"
_NO_SIDE = "no BUY or SELL has the quorum and passes the volatility gate"


@dataclass(frozen=True, slots=True, eq=False)
class ScoredBars:
    """n bars with a known outcome, of any markets and in any order.

    Attributes:
        scores: model -> (n, 3); NaN where it abstained.
        calibrated: model -> (n, 3) probabilities, for calibrated models; NaN where it has none.
        volatility: (n,) volatility_20 as a fraction; NaN where unknown.
        time: (n,) int64 open times, ms.
        forward_return: (n,) returns to the label's last close, fractions.
    """

    scores: Mapping[str, FloatArray]
    calibrated: Mapping[str, FloatArray]
    volatility: FloatArray
    time: IntArray
    forward_return: FloatArray

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(cls, frames: Mapping[str, DecisionFrame], candles: Mapping[str, Candles], target: Target) -> ScoredBars:
        """The bars of frames whose outcome is known.

        Args:
            frames: symbol -> decisions with the members' scores.
            candles: symbol -> candles of the frame's bars and after them.
            target: whose horizon a signal is held.
        """
        parts, earned = [], []
        for symbol, frame in frames.items():
            outcome = target.label(candles[symbol]).forward_return[np.searchsorted(candles[symbol].time, frame.time)]
            known = np.isfinite(outcome)
            parts.append((frame, known))
            earned.append(outcome[known])

        def joined(tables: str) -> dict[str, FloatArray]:
            names = dict.fromkeys(name for frame, _ in parts for name in getattr(frame, tables))
            return {
                name: np.concatenate([_rows(getattr(frame, tables).get(name), known) for frame, known in parts])
                for name in names
            }

        def column(name: str) -> Any:
            return np.concatenate([getattr(frame, name)[known] for frame, known in parts] or [np.empty(0)])

        return cls(
            joined("scores"),
            joined("calibrated"),
            column("volatility"),
            column("time").astype(np.int64),
            np.concatenate(earned or [np.empty(0)]),
        )


def floor_figures(bars: ScoredBars, settings: Settings, members: int, *, nearest: bool = False) -> dict[str, Any]:
    """Policy -> outcome of its signals at each floor, and the highest confidence that it reached; JSON-safe.

    Floors are those of `evaluation.floors` and the one in force, in order. `right_given_move` is the share of signals
    that were right among those whose bar moved by more than the target's band: what the confidence of consensus stands
    for. An interval needs signals in five blocks of time. `highest_confidence` is the largest of a BUY or SELL with
    quorum that passes the volatility gate: no higher floor acts on these bars.

    Args:
        bars: with the members' scores and outcomes.
        settings: of the vote, the target's band, the costs and the evaluation.
        members: number of members of the ensemble.
        nearest: also find, where the floor in force gives no signal, the highest floor in hundredths whose signals have
            an interval, or without one that gives a signal at all; under `nearest`, null where no floor does.
    """
    vote = settings.vote
    floors = sorted({*settings.evaluation.floors, vote.floor})
    blocks = TimeBlocks(bars.time, settings.evaluation)
    policies: dict[str, AnyPolicy] = {"classic": vote, CONSENSUS: ConsensusPolicy(vote)}
    return {
        "bars": len(bars),
        "floor": vote.floor,
        "policies": {
            name: _policy(bars, policy, members, floors, blocks, settings, nearest=nearest)
            for name, policy in policies.items()
        },
    }


def lower_floors(
    frames: Mapping[str, DecisionFrame], candles: Mapping[str, Candles], settings: Settings, members: int
) -> dict[str, Any]:
    """`floor_figures` of a run without trades, the nearest floor with signals among them.

    Args:
        frames: symbol -> decisions with the members' scores.
        candles: symbol -> candles of the frame's bars and after them.
        settings: with the vote and the target of the bundle that decided.
        members: number of members of the ensemble.
    """
    target = ForwardClass(settings.target.horizon, settings.target.band)
    return floor_figures(ScoredBars.of(frames, candles, target), settings, members, nearest=True)


def _rows(table: FloatArray | None, known: BoolArray) -> FloatArray:
    """The known rows of an (n, 3) table; NaN in their place without one."""
    return np.full((int(known.sum()), 3), np.nan) if table is None else table[known]


def _policy(
    bars: ScoredBars,
    policy: AnyPolicy,
    members: int,
    floors: list[float],
    blocks: TimeBlocks,
    settings: Settings,
    *,
    nearest: bool,
) -> dict[str, Any]:
    """The figures of one policy."""
    lowest, highest = (_decided(bars, policy, members, floor) for floor in (0.0, 1.0))
    acted = lowest.action != Action.HOLD
    # Actions by a lowered quorum have a floor of their own, which stays.
    whatever = highest.action != Action.HOLD
    reached = lowest.confidence[acted]

    def row(floor: float) -> dict[str, Any]:
        action = np.where(whatever | (lowest.confidence >= floor - TOLERANCE), lowest.action, Action.HOLD)
        return {"floor": floor, **_outcome(bars, action.astype(np.int8), blocks, settings)}

    rows = [row(floor) for floor in floors]
    figures = Figures()
    figures.add("highest_confidence", float(reached.max()) if len(reached) else None, _NO_SIDE)
    found = {**figures.to_json(), "floors": rows}
    if nearest and not any(one["signals"] for one in rows if one["floor"] == settings.vote.floor):
        at = _nearest(lowest.confidence[acted], blocks.block[acted])
        found["nearest"] = None if at is None else row(at)
    return found


def _nearest(confidence: FloatArray, block: IntArray) -> float | None:
    """The highest floor in hundredths that bars of enough blocks reach for an interval, else one at all; None without.

    Args:
        confidence: (n,) of the bars that some floor lets act.
        block: (n,) of the same bars.
    """
    if not len(confidence):
        return None
    highest: dict[int, float] = {}
    for own, reached in zip(block.tolist(), confidence.tolist(), strict=True):
        highest[own] = max(reached, highest.get(own, 0.0))
    ranked = sorted(highest.values(), reverse=True)
    reached = ranked[FEWEST_BLOCKS - 1] if len(ranked) >= FEWEST_BLOCKS else ranked[0]
    return math.floor(100 * (reached + TOLERANCE)) / 100


def _decided(bars: ScoredBars, policy: AnyPolicy, members: int, floor: float) -> Decisions:
    return decide_frame(
        bars.scores,
        bars.volatility,
        policy=with_vote(policy, floor=floor),
        members=members,
        calibrated=bars.calibrated,
    )


def _outcome(bars: ScoredBars, action: ActionArray, blocks: TimeBlocks, settings: Settings) -> dict[str, Any]:
    """Number, coverage and mean outcome of signals."""
    acted = action != Action.HOLD
    earned = np.where(action[acted] == Action.BUY, 1.0, -1.0) * bars.forward_return[acted]
    net = earned - 2 * (settings.costs.taker_fee + settings.costs.slippage)
    moved = np.abs(earned) > settings.target.band
    right = np.where(moved, (earned > 0).astype(np.float64), np.nan)
    part, n = blocks.select(acted), len(net)
    known = len(np.unique(part.block)) >= FEWEST_BLOCKS
    figures = Figures()
    figures.add("signals", n)
    figures.add("coverage", n / len(bars) if len(bars) else None, "no bars")
    figures.add("net_bps", 1e4 * float(net.mean()) if n else None, _NO_SIGNAL)
    few = f"signals in fewer than {FEWEST_BLOCKS} blocks of time" if n else _NO_SIGNAL
    figures.add_interval("net_bps_ci", part.interval(part.means(1e4 * net)) if known else None, few)
    unmoved = "no bar with a signal moved" if n else _NO_SIGNAL
    figures.add("right_given_move", float(right[moved].mean()) if moved.any() else None, unmoved)
    figures.add_interval("right_given_move_ci", part.interval(part.means(right)) if known else None, few)
    return figures.to_json()
