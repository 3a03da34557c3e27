"""Study of targets, horizons and features: which give a profit after costs? Selected on candles before 2025-07-01, and
evaluated once on those after.

    QUORATE_DATA=FOLDER python benchmarks/study/run.py --select [--out FOLDER]
    QUORATE_DATA=FOLDER python benchmarks/study/run.py --final [--out FOLDER]

`--select` reads no candle from 2025-07-01 on. It evaluates all configurations of `configuration.py`, writes study.json
and study.md, and selects one by a rule that was fixed beforehand. `--final` trains the selected one on the time before
and evaluates it on 2025-07-01 .. 2025-10-14. It records the selection in study-final.json before it reads those
candles, and refuses to evaluate another one. Every trial of either is in study-trials.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import page
from configuration import FEATURES, Configuration, grouped, held_back, screened
from perpetuals import Perpetuals
from robustness import check_robustness, plain_signals
from trials import Trials

from quorate.core.clock import parse_ms
from quorate.core.errors import EvaluationError
from quorate.core.types import FloatArray
from quorate.evaluation.statistics.deflated_sharpe import Moments, deflated_sharpe
from quorate.evaluation.statistics.pbo import backtest_overfitting, fitting_blocks
from quorate.evaluation.statistics.trial_log import TrialLog

RESULTS = Path(__file__).parents[1] / "results"
START, CUT, END = parse_ms("2024-10-23"), parse_ms("2025-07-01"), parse_ms("2025-10-15")
FINALISTS, FINAL_FOLDS, SHUFFLES = 3, 6, 3
LEAST_PROBABILITY = 0.95  # of the deflated Sharpe ratio

RULE = (
    f"Finalists are the {FINALISTS} configurations of the screening whose net result a day, at the better of their "
    f"holding times, has the highest lower end of its 95 % interval; they are walked again in {FINAL_FOLDS} folds, and "
    "the one with the highest lower end there is frozen. It is worth a change of the default recipe only if that lower "
    f"end is above 0 and its Sharpe ratio is, with a probability of {LEAST_PROBABILITY:.0%}, above what the best of as "
    "many trials would have by luck."
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verb = parser.add_mutually_exclusive_group(required=True)
    verb.add_argument("--select", action="store_true", help="evaluate all configurations on candles before 2025-07-01")
    verb.add_argument("--final", action="store_true", help="evaluate the selected one on later candles, once")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of study.json and study.md")
    options = parser.parse_args()
    data = os.environ.get("QUORATE_DATA")
    if not data:
        print("set QUORATE_DATA to the folder of real candles", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        (select if options.select else final)(Path(data) / "binance", options.out)
    except EvaluationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def select(folder: Path, out: Path) -> None:
    """Evaluate all configurations on the span before the cut, and select one."""
    began = time.process_time()
    trials = Trials(Perpetuals.read(folder, START, CUT), TrialLog(out / "study-trials.jsonl"), "study")
    tried = screened()
    signals = {it.name: trials.learn(it)[1] for it in tried}
    start = trials.found[tried[0].name]["start"]
    ranked = sorted(tried, key=lambda it: -_lower_end(trials.found[it.name])[0])
    finalists = [replace(it, folds=FINAL_FOLDS) for it in ranked[:FINALISTS]]
    signals |= {it.name: trials.learn(it)[1] for it in finalists}
    best = max(finalists, key=lambda it: _lower_end(trials.found[it.name])[0])
    _, hold = _lower_end(trials.found[best.name])

    shuffled = [replace(ranked[0], shuffled=seed) for seed in range(1, SHUFFLES + 1)]
    pairs = grouped()
    groups = list(dict.fromkeys(it for pair in pairs for it in pair if it.name not in trials.found))
    for configuration in (*shuffled, *groups):
        trials.learn(configuration)
    sets = [(it, replace(it, features=FEATURES[FEATURES.index(it.features) - 1])) for it in tried]
    pairs = [pair for pair in sets if pair[0].features != FEATURES[0]] + pairs
    holding = held_back()
    for configuration in holding:
        trials.learn(configuration)
    baselines = compare(trials, start)
    # Besides the finalists, the configuration with the highest rank IC, which may be none of them.
    best_ranked = max((it.name for it in tried), key=lambda name: trials.found[name]["rank_ic"])
    checked = dict.fromkeys([*(it.name for it in finalists), best_ranked])

    document = {
        "question": "which target, horizon and features give an edge that survives costs",
        "command": "python benchmarks/study/run.py --select",
        "machine": f"{platform.machine()}, Python {platform.python_version()}, one thread",
        "span": ["2024-10-23", "2025-07-01"],
        "symbols": len(trials.market.symbols),
        "rule": RULE,
        "stages": {
            "screening": [it.name for it in tried],
            "finalists": [it.name for it in finalists],
            "controls": [it.name for it in shuffled],
            "groups": [it.name for it in groups],
            "held back": [it.name for it in holding],
            "baselines": baselines,
        },
        "trials": trials.found,
        "pairs": [trials.paired(it.name, against.name) for it, against in pairs],
        "robustness": {
            name: check_robustness(trials.market, signals[name], _lower_end(trials.found[name])[1]) for name in checked
        },
        "choice": {"configuration": best.to_json(), "name": best.name, "hold": hold},
        "verdict": deflate(trials, best, hold, [it.name for it in tried]),
        "cpu_seconds": round(time.process_time() - began),
    }
    _write(out / "study.json", document)
    (out / "study.md").write_text(page.selection(document), encoding="utf-8")


def compare(trials: Trials, start: int) -> list[str]:
    """Evaluate the signals without a model, over a day."""
    signals = plain_signals(trials.market)
    for name, values in signals.items():
        trials.compare(name, values, start, 24, (24, 72))
    return list(signals)


def deflate(trials: Trials, best: Configuration, hold: int, screening: list[str]) -> dict[str, Any]:
    """Deflated Sharpe ratio and probability of overfitting of the best configuration."""
    sharpes = [trial.moments.sharpe for trial in trials.log.read().distinct(synthetic=False)]
    deflation = deflated_sharpe(Moments.of(trials.daily[best.name, hold]), sharpes)
    returns = _side_by_side([daily for (name, _), daily in trials.daily.items() if name in screening])
    blocks = fitting_blocks(len(returns))
    overfit = backtest_overfitting(returns, blocks) if blocks else None
    low = _lower_end(trials.found[best.name])[0]
    return {
        "trials": deflation.trials,
        "sharpe_of_luck_day": deflation.reference,
        "deflated_sharpe": deflation.probability,
        "undeflated_sharpe": deflation.undeflated,
        "overfitting": None if overfit is None else overfit.probability,
        "lower_end_bp": low,
        "change_the_default": bool(low > 0 and deflation.probability > LEAST_PROBABILITY),
    }


def final(folder: Path, out: Path) -> None:
    """Evaluate the selected configuration on the span after the cut, once.

    Raises:
        EvaluationError: nothing is selected yet, or the span was evaluated before.
    """
    chosen, looked = out / "study.json", out / "study-final.json"
    if not chosen.exists():
        raise EvaluationError(
            "evaluate the selected configuration",
            found=f"no {chosen.name}",
            expected="a selection",
            remedy="Run --select first.",
        )
    choice = json.loads(chosen.read_text())["choice"]
    if looked.exists():
        before = json.loads(looked.read_text())["choice"]
        if before != choice:
            raise EvaluationError(
                "evaluate the selected configuration",
                found=f"an evaluation of {before['name']}",
                expected=f"none, or one of {choice['name']}",
                remedy="The final span can be used once: wait for new candles.",
            )
        if "figures" in json.loads(looked.read_text()):
            raise EvaluationError(
                "evaluate the selected configuration",
                found=f"figures in {looked.name}",
                expected="no evaluation of the final span yet",
                remedy="The final span can be used once: wait for new candles.",
            )
    _write(looked, {"choice": choice, "span": ["2025-07-01", "2025-10-15"]})
    fields = {name: choice["configuration"][name] for name in Configuration.__dataclass_fields__}
    settings = fields["settings"]
    fields["settings"] = None if settings is None else tuple((name, value) for name, value in settings)
    configuration = replace(Configuration(**fields), folds=3)
    trials = Trials(Perpetuals.read(folder, START, END), TrialLog(out / "study-trials.jsonl"), "study-final", first=CUT)
    _, signal = trials.learn(configuration)
    baselines = compare(trials, CUT)
    document = {
        "choice": choice,
        "command": "python benchmarks/study/run.py --final",
        "span": ["2025-07-01", "2025-10-15"],
        "folds": configuration.folds,
        "name": configuration.name,
        "figures": trials.found,
        "baselines": baselines,
        "robustness": check_robustness(trials.market, signal, choice["hold"]),
    }
    _write(looked, document)
    (out / "study-final.md").write_text(page.last_look(document), encoding="utf-8")


def _lower_end(figures: dict[str, Any]) -> tuple[float, int]:
    """Highest lower end of the interval of the daily net result over the holding times, and its holding time."""
    ends = {int(hold): money["net_bp_ci"][0] for hold, money in figures["held"].items() if money["net_bp_ci"]}
    hold = max(ends, key=lambda it: ends[it])
    return ends[hold], hold


def _side_by_side(daily: list[FloatArray]) -> FloatArray:
    """(days, N) daily returns, cut to the shortest series, since longer horizons end a day earlier."""
    shortest = min(len(days) for days in daily)
    return np.stack([days[:shortest] for days in daily], axis=1)


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(_rounded(document), indent=1) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """The document with floats rounded to six digits, and null for NaN and infinity."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value


if __name__ == "__main__":
    sys.exit(main())
