"""How much of the result is luck and choosing: the deflated Sharpe ratio and the probability of overfitting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from quorate.evaluation.baselines.configurations import Configuration, return_matrix
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.deflated_sharpe import Moments, deflated_sharpe
from quorate.evaluation.statistics.pbo import backtest_overfitting, degradation, fitting_blocks
from quorate.evaluation.statistics.trial_log import Trial, TrialHistory


def deflation_figures(
    moments: Moments, sharpes: Sequence[float], counted: str, recorded: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The judged account's Sharpe ratio against the luck of all trials, JSON-safe, and what it says in a sentence.

    Args:
        moments: of its daily returns.
        sharpes: a day's Sharpe ratio of every distinct trial, its own among them.
        counted: which trials those are, in words.
        recorded: what there is to say of the ledger.
    """
    found = deflated_sharpe(moments, sharpes)
    why = "the account's returns do not vary" if moments.n > 1 else "fewer than two days"
    figures = Figures()
    figures.add("trials", found.trials)
    figures.add("sharpe_a_day", moments.sharpe, why)
    figures.add("days", moments.n)
    figures.add("skewness", moments.skewness, why)
    figures.add("kurtosis", moments.kurtosis, why)
    figures.add("trials_variance", found.variance)
    figures.add("expected_best", found.reference)
    figures.add("probabilistic_sharpe", found.undeflated, why)
    figures.add("deflated_sharpe", found.probability, why)
    return {**(recorded or {}), **figures.to_json(), "about": _deflation_sentence(found.probability, counted, why)}


def ledger_figures(moments: Moments, history: TrialHistory, path: str, *, synthetic: bool) -> dict[str, Any]:
    """`deflation_figures` over everything that a ledger holds."""
    trials = history.distinct(synthetic=synthetic)
    recorded = {"ledger": path, "recorded": len(history.trials), "distinct": len(trials), "torn": history.torn}
    made = "the synthetic market" if synthetic else "real markets"
    counted = f"{len(trials):,} configurations ever evaluated on {made} according to {path}"
    return deflation_figures(moments, [trial.moments.sharpe for trial in trials], counted, recorded)


def overfitting_figures(candidates: Sequence[Configuration]) -> dict[str, Any]:
    """The probability of backtest overfitting of a choice among the candidates, JSON-safe."""
    returns, names = return_matrix(candidates)
    left_out = [candidate.name for candidate in candidates if candidate.name not in names]
    blocks = fitting_blocks(len(returns))
    # Equals are no choice: only configurations that differ somewhere are counted.
    distinct = {returns[:, place].tobytes(): place for place in range(len(names))}
    places = sorted(distinct.values())
    figures = Figures()
    header = {"configurations": [names[place] for place in places], "left_out": left_out}
    if blocks is None or len(places) < 2:
        why = "fewer than two configurations differ" if len(places) < 2 else f"{len(returns)} days are too few"
        for name in ("probability", "loss", "degradation"):
            figures.add(name, None, why)
        return {**header, **figures.to_json(), "about": f"No probability of overfitting: {why}."}
    found = backtest_overfitting(returns[:, places], blocks)
    figures.add("probability", found.probability)
    figures.add("loss", found.loss)
    figures.add("degradation", degradation(found), "the best of the past never varies")
    figures.add("blocks", found.blocks)
    figures.add("splits", len(found.logits))
    figures.add("days", found.periods)
    about = (
        f"Of {len(found.logits):,} ways to call half of the days the past, the configuration that was best then ended "
        f"in the worse half afterwards in {100 * found.probability:.0f} %; choosing at random does so in about half."
    )
    return {**header, **figures.to_json(), "about": about}


def trials(
    candidates: Sequence[Configuration],
    shared: Mapping[str, Any],
    models: Mapping[str, Any],
    *,
    time: str,
    code: str,
    verb: str,
    data: str,
) -> list[Trial]:
    """One trial for each candidate.

    Args:
        candidates: that were traded.
        shared: of the configuration, what all of them have in common.
        models: name -> its settings; a trial holds those of its own members.
        time: when, ISO 8601.
        code: version of the program.
        verb: of the command line.
        data: hash of what was read.
    """
    return [
        Trial(
            time=time,
            code=code,
            verb=verb,
            name=candidate.name,
            configuration={
                **shared,
                **candidate.choice,
                "models": {name: models[name] for name in candidate.choice["members"] if name in models},
            },
            data=data,
            synthetic=candidate.result.synthetic,
            moments=candidate.moments,
            headline=_headline(candidate),
        )
        for candidate in candidates
    ]


def _headline(candidate: Configuration) -> dict[str, Any]:
    """The few figures that a ledger keeps of a trial."""
    result = candidate.result
    gained = result.final_equity_usd / result.start_equity_usd - 1
    wins = sum(trade.net_usd > 0 for trade in result.trades)
    n = len(result.trades)
    return {"trades": n, "win_rate": wins / n if n else None, "total_return": gained, "net_usd": result.net_usd}


def _deflation_sentence(probability: float, counted: str, why: str) -> str:
    if math.isnan(probability):
        return f"No deflated Sharpe ratio: {why}."
    return (
        f"The probability that the account's true Sharpe ratio is above what the best of {counted} would reach by luck "
        f"is {100 * probability:.1f} %; 95 % is the usual bar."
    )
