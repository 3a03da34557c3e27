"""The status of a challenge: verdict, e-values, differences with confidence sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.lifecycle.challenge.evidence import ComparedBar, e_value
from quorate.lifecycle.online.state_file import ONLINE
from quorate.workflows.results.headline import Headline, Headlined, HeadlineRow, marks_of

if TYPE_CHECKING:
    from quorate.evaluation.statistics.betting import BettingTest
    from quorate.lifecycle.challenge.state import ChallengeState

#: The verdict of a challenge without one; it may be running or interrupted.
OPEN = "open"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChallengeStatus(Headlined):
    """A challenge as of its newest compared bar.

    Attributes:
        document: JSON-safe; the document of `quorate challenge status --json`.
    """

    document: Mapping[str, Any]

    @property
    def verdict(self) -> str:
        """One of challenger, champion, undecided and stopped; open while there is none."""
        return str(self.document["verdict"])

    @property
    def headline(self) -> Headline:
        """Verdict, e-values, differences with their confidence sequences, and bars."""
        found = self.document
        rows = tuple(HeadlineRow(name, _cell(text)) for name, text in lines(found))
        title = f"{found['verdict'].upper()}: {found['reason']}"
        return Headline(title, marks_of(found), rows)

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate challenge status --json`."""
        return dict(self.document)


def status_of(state: ChallengeState, settings: EvaluationSettings) -> ChallengeStatus:
    """The status of a challenge.

    Args:
        state: as of its newest record.
        settings: of the block bootstrap.
    """
    start, evidence, judgement = state.start, state.evidence, state.judgement
    terms = evidence.terms
    first = evidence.returns[0].time if evidence.returns else None
    document = {
        "challenge": state.name,
        "verdict": OPEN if judgement is None else judgement.verdict,
        "reason": "no verdict yet" if judgement is None else judgement.reason,
        "champion": start.champion,
        "challenger": start.challenger,
        "decides": terms.decides,
        "alpha": terms.alpha,
        "needed": 1 / terms.alpha,
        "mode": start.mode,
        "timeframe": start.timeframe,
        "symbols": list(start.symbols),
        "synthetic": start.synthetic,
        "bars": evidence.bars,
        "horizon_bars": terms.horizon_bars,
        "from": None if first is None else iso_ms(first),
        "to": None if evidence.last is None else iso_ms(evidence.last),
        "waiting": len(evidence.waiting),
        "log_loss": None if start.no_loss else _difference(evidence.losses, evidence.loss_test, terms.alpha, settings),
        "no_log_loss": start.no_loss,
        "net_return": _difference(evidence.returns, evidence.return_test, terms.alpha, settings),
        "clipped_returns": evidence.clipped,
        "champion_equity_usd": evidence.champion_usd,
        "challenger_equity_usd": evidence.challenger_usd,
        "start_equity_usd": start.start_usd,
        "written_at": iso_ms(state.written_at),
    }
    return ChallengeStatus(document)


def lines(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and texts of a status below its verdict.

    Args:
        found: the document of a status.
    """
    loss, earned = found["log_loss"], found["net_return"]
    sides = {"challenger": "e_challenger", "champion": "e_champion"}
    shown = []
    for side, name in sides.items():
        values = [] if loss is None else [f"{_short(loss[name])} by log-loss"]
        values.append(f"{_short(earned[name])} by net return")
        needed = f"; {found['needed']:g} needed" + (
            f", by {found['decides'].replace('_', ' ')}" if side == "challenger" else ""
        )
        shown.append((f"e-value, {side} better", ", ".join(values) + needed))
    if loss is None:
        shown.append(("log-loss", f"not compared: {found['no_log_loss']}"))
    else:
        shown.append(("log-loss saved", _with_bounds(loss, 1.0, "nats a bar")))
        if loss["n"]:
            shown.append(
                (
                    "log-loss",
                    f"champion {loss['champion']:.5f}, challenger {loss['challenger']:.5f}, {loss['n']:,} bars",
                )
            )
    shown.append(("net return gained", _with_bounds(earned, 100.0, "% a bar")))
    shown.append(
        (
            "equity",
            f"champion {found['champion_equity_usd']:,.2f} USD, challenger {found['challenger_equity_usd']:,.2f} USD, "
            f"start {found['start_equity_usd']:,.2f}",
        )
    )
    span = f", {found['from'][:16]} to {found['to'][:16]}" if found["bars"] else ""
    shown.append(("bars", f"{found['bars']:,} of {found['horizon_bars']:,}{span}, {found['waiting']} wait for a label"))
    shown.append(("bundles", f"champion {found['champion']}, challenger {found['challenger']}"))
    if found["verdict"] == "challenger":
        publish = "a person publishes what it has learnt: quorate challenge publish --bundles FOLDER"
        promote = "a person promotes it: quorate challenge promote --bundles FOLDER"
        shown.append(("next", publish if found["challenger"].endswith(ONLINE) else promote))
    return shown


def _difference(
    bars: Sequence[ComparedBar], test: BettingTest, alpha: float, settings: EvaluationSettings
) -> dict[str, Any]:
    """A difference with its e-values, its confidence sequence, and the interval of the block bootstrap."""
    bounds = test.bounds(alpha)
    time = np.array([bar.time for bar in bars], np.int64)
    values = np.array([bar.difference for bar in bars])
    blocks = TimeBlocks(time, settings)
    single = blocks.interval(blocks.means(values)) if len(bars) else None
    return {
        "n": len(bars),
        "champion": float(np.mean([bar.champion for bar in bars])) if bars else None,
        "challenger": float(np.mean([bar.challenger for bar in bars])) if bars else None,
        "difference": float(values.mean()) if bars else None,
        "bounds": None if bounds is None else list(bounds),
        "single_look_interval": None if single is None else list(single),
        "e_challenger": e_value(test.log_above),
        "e_champion": e_value(test.log_below),
    }


def _with_bounds(found: Mapping[str, Any], scale: float, unit: str) -> str:
    if found["difference"] is None or found["bounds"] is None:
        return "no bar yet"
    low, high = (bound * scale for bound in found["bounds"])
    text = f"{found['difference'] * scale:+.4f} {unit}; {low:+.4f} to {high:+.4f} at any time"
    if found["single_look_interval"] is None:
        return text
    low, high = (bound * scale for bound in found["single_look_interval"])
    return f"{text}; {low:+.4f} to {high:+.4f} for one look"


def _short(value: float) -> str:
    return f"{value:.3g}" if value >= 0.001 else f"{value:.0e}"


def _cell(text: str) -> Any:
    from quorate.evaluation.report.formatting import Cell

    return Cell(text)
