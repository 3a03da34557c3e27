"""The verdict on a run: what happened, beside holding and random entries, and why nothing was traded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from quorate.core.text.plural import counted
from quorate.evaluation.verdict.no_trades import hindsight, why_no_signal
from quorate.evaluation.verdict.wording import bps, percent

#: "gain" and "loss": more than chance explains; "unclear": chance explains it; "none": no trade.
Outcome = Literal["gain", "loss", "unclear", "none"]

# Share of the random accounts that a gain has to exceed, as a two-sided interval of 95 % would ask; and the usual
# threshold of a deflated Sharpe ratio.
_RARE, _DEFLATED = 0.975, 0.95


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of an evaluation or a backtest.

    Attributes:
        sentence: what happened, or why nothing was traded.
        details: further sentences, most important first.
        outcome: of the account's trades.
    """

    sentence: str
    details: tuple[str, ...] = ()
    outcome: Outcome = "none"

    @property
    def text(self) -> str:
        """All sentences, each on a line of its own."""
        return "\n".join((self.sentence, *self.details))

    def to_json(self) -> dict[str, Any]:
        """The key `verdict` of a document."""
        return {"sentence": self.sentence, "details": list(self.details), "outcome": self.outcome}


def verdict_of(document: Mapping[str, Any]) -> Verdict:
    """The verdict on an evaluation or a backtest.

    Args:
        document: of `quorate evaluate --json` or `quorate backtest --json`.
    """
    trades = document.get("stats") or document["trades"]
    return _traded(document, trades) if trades["n"] else _untraded(document, trades)


def with_verdict(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its verdict under the key `verdict`."""
    return {**document, "verdict": verdict_of(document).to_json()}


def _traded(document: Mapping[str, Any], trades: Mapping[str, Any]) -> Verdict:
    found = document.get("baselines", {})
    hold, random = found.get("buy_and_hold"), found.get("random", {})
    drawn = bool(random.get("draws")) and random.get("total_return") is not None
    rivals = [f"{percent(hold, 'total_return')} by holding"] if hold is not None else []
    rivals += [f"{percent(random, 'total_return')} by random entries"] if drawn else []
    beside = f", beside {' and '.join(rivals)}" if rivals else ""
    outcome, judgement = _judged(document, trades, random if drawn else {})
    details = [f"A trade made {bps(trades, 'expectancy_bps')} on average, after costs."]
    if drawn:
        worse = round(random["worse"]["total_return"] * random["draws"])
        details.append(f"It returned more than {worse} of {counted(random['draws'], 'random account')}.")
    sentence = f"{counted(trades['n'], 'trade')}: {percent(trades, 'total_return')}{beside}: {judgement}."
    return Verdict(sentence, tuple(details), outcome)


def _judged(document: Mapping[str, Any], trades: Mapping[str, Any], random: Mapping[str, Any]) -> tuple[Outcome, str]:
    """Whether chance explains the result: the mean of a trade, random entries, and the number of trials."""
    ends = trades.get("expectancy_bps_ci")
    if document.get("in_training_span"):
        return "unclear", "optimistic, since the bundle was trained on some of these bars"
    if ends is None:
        return "unclear", "too few days to tell it from chance"
    if ends[1] < 0:
        return "loss", "a loss that chance does not explain"
    if ends[0] <= 0:
        return "unclear", "no evidence of an edge, since the interval of a trade's mean includes 0"
    if random and random["worse"]["total_return"] < _RARE:
        return "unclear", "no evidence of an edge, since random entries did as well"
    deflation = document.get("deflation", {})
    deflated = deflation.get("deflated_sharpe")
    if deflated is not None and deflated < _DEFLATED:
        best = f"the best of {counted(deflation['trials'], 'trial')}"
        return "unclear", f"no evidence of an edge, since chance could give {best} as much"
    return "gain", "a gain that chance does not explain"


def _untraded(document: Mapping[str, Any], trades: Mapping[str, Any]) -> Verdict:
    decisions, floors = document.get("decisions", {}), document.get("floors")
    policy = _policy(document)
    actions = decisions.get("actions", {})
    signals = sum(count for name, count in actions.items() if name != "HOLD")
    details = []
    if signals:
        refused = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in trades["refused"].items())
        why = f"{counted(signals, 'signal')}, none of which became a position" + (f" ({refused})" if refused else "")
    else:
        own = None if floors is None else floors["policies"].get("consensus" if policy == "consensus" else "classic")
        why = why_no_signal(
            decisions.get("rules", {}),
            floor=None if floors is None else floors["floor"],
            highest=None if own is None else own["highest_confidence"],
            because=document.get("closed_because", ""),
        )
        details = [text for text in (hindsight(floors, policy),) if text]
    hold = document.get("baselines", {}).get("buy_and_hold")
    if hold is not None:
        details.append(f"Holding the same markets: {percent(hold, 'total_return')}.")
    return Verdict(f"0 trades: {why}.", tuple(details))


def _policy(document: Mapping[str, Any]) -> str:
    """Name of the policy in force; "" where folds decided by different ones."""
    if "policy" in document:
        return str(document["policy"])
    return next((row["policy"] for row in document.get("signals_by_policy", ()) if row["in_force"]), "")
