"""Selection bias of the best configuration: deflated Sharpe ratio and probability of backtest overfitting."""

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
    """Deflated Sharpe ratio of the evaluated account, JSON-safe, with a sentence that explains it.

    Args:
        moments: of the account's daily returns.
        sharpes: daily Sharpe ratio of every distinct trial, including this one.
        counted: description of the trials, for the sentence.
        recorded: what to add about the trial log.
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


def trial_log_figures(moments: Moments, history: TrialHistory, path: str, *, synthetic: bool) -> dict[str, Any]:
    """`deflation_figures` over all trials of a trial log.

    Args:
        moments: of the account's daily returns.
        history: content of the log.
        path: of the log.
        synthetic: count the trials on the synthetic market instead of those on real markets.
    """
    distinct = history.distinct(synthetic=synthetic)
    recorded = {"ledger": path, "recorded": len(history.trials), "distinct": len(distinct), "torn": history.torn}
    market = "the synthetic market" if synthetic else "real markets"
    counted = f"{len(distinct):,} configurations evaluated on {market} (trial log {path})"
    return deflation_figures(moments, [trial.moments.sharpe for trial in distinct], counted, recorded)


def overfitting_figures(configurations: Sequence[Configuration]) -> dict[str, Any]:
    """Probability of backtest overfitting of selecting the best configuration, JSON-safe.

    Duplicates (configurations with equal returns) count once; configurations that were wiped out are left out.
    """
    returns, names = return_matrix(configurations)
    left_out = [configuration.name for configuration in configurations if configuration.name not in names]
    blocks = fitting_blocks(len(returns))
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
    figures.add("degradation", degradation(found), "the in-sample Sharpe ratio of the best is constant")
    figures.add("blocks", found.blocks)
    figures.add("splits", len(found.logits))
    figures.add("days", found.periods)
    about = (
        f"In {len(found.logits):,} splits of the days into halves, the best configuration of one half is not above the "
        f"median in the other half in {100 * found.probability:.0f} %; for a random choice it is about half."
    )
    return {**header, **figures.to_json(), "about": about}


def trials(
    configurations: Sequence[Configuration],
    shared: Mapping[str, Any],
    models: Mapping[str, Any],
    *,
    time: str,
    code: str,
    verb: str,
    data: str,
) -> list[Trial]:
    """Trials for the trial log, one for each configuration.

    Args:
        configurations: evaluated on the same bars.
        shared: choices that all configurations have in common.
        models: name -> settings; a trial records those of its own members.
        time: of the evaluation, ISO 8601.
        code: version of the program.
        verb: command that evaluated them, such as "evaluate".
        data: hash of the data.
    """
    return [
        Trial(
            time=time,
            code=code,
            verb=verb,
            name=configuration.name,
            configuration={
                **shared,
                **configuration.choice,
                "models": {name: models[name] for name in configuration.choice["members"] if name in models},
            },
            data=data,
            synthetic=configuration.result.synthetic,
            moments=configuration.moments,
            headline=_headline(configuration),
        )
        for configuration in configurations
    ]


def _headline(configuration: Configuration) -> dict[str, Any]:
    """Figures of a trial that the trial log keeps."""
    result = configuration.result
    gained = result.final_equity_usd / result.start_equity_usd - 1
    wins = sum(trade.net_usd > 0 for trade in result.trades)
    n = len(result.trades)
    return {"trades": n, "win_rate": wins / n if n else None, "total_return": gained, "net_usd": result.net_usd}


def _deflation_sentence(probability: float, counted: str, why: str) -> str:
    if math.isnan(probability):
        return f"No deflated Sharpe ratio: {why}."
    return (
        f"The probability that the account's true Sharpe ratio exceeds the best one expected by chance among {counted} "
        f"is {100 * probability:.1f} %; 95 % is the usual threshold."
    )
