"""The vote beside FreqAI's LightGBM classifier: the same pairs, features, labels, windows and exits.

    python benchmarks/freqtrade_freqai.py [--pairs 10] [--days 90] [--models xgboost,lightgbm] [--out FOLDER]

Both are trained by FreqAI, every week on the 60 days before, one model per pair, on spot candles in 1h bars. Log-loss
is that of the class probabilities (of the vote: the members' mean scores) on the bars that both predicted and whose
label is known, beside that of the class shares on the same bars, which are known only afterwards. Trades are
Freqtrade's. Time is that of `fit` and `predict`, on one thread. Candles are real if QUORATE_DATA names their folder,
else synthetic. Writes freqtrade_freqai.json and .md. Run on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import feather

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.settings import Settings
from quorate.core.types import CLASS_NAMES, Candles
from quorate.market import FreqtradeFolder, SyntheticMarket, write_candles
from quorate.targets import ForwardClass
from stubs import freqtrade
from stubs.binance import spawn

RESULTS = Path(__file__).parent / "results"
PAIRS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "TRX", "LINK", "LTC", "AVAX")
END = parse_ms("2025-10-14")
TRAIN_DAYS, WARM_DAYS, WEEK = 60, 25, 7

# Settings of the ensemble's LightGBM, under the names that FreqAI's has for them.
LIGHTGBM = {
    "n_estimators": 200,
    "num_leaves": 31,
    "max_depth": 6,
    "learning_rate": 0.1,
    "random_state": 7,
    "n_jobs": 1,
}

STRATEGY = '''
import os

from quorate.integrations.freqtrade.strategies.freqai_strategy import LABEL, QuorateFreqaiStrategy


class Compared(QuorateFreqaiStrategy):
    """Strategy of both models: the most probable class is the decision, its probability the confidence."""

    timeframe = "1h"

    def populate_indicators(self, dataframe, metadata):
        start = self.freqai.start

        def recorded(*arguments):
            frame = start(*arguments)
            if "quorate_confidence" not in frame:
                frame["quorate_confidence"] = frame[["SELL", "HOLD", "BUY"]].max(axis=1)
            kept = frame[["date", LABEL, "SELL", "HOLD", "BUY", "do_predict"]].rename(columns={LABEL: "label"})
            name = metadata["pair"].replace("/", "_")
            kept.astype({"label": str}).to_feather(os.path.join(os.environ["PREDICTIONS"], f"{name}.feather"))
            return frame

        self.freqai.start = recorded
        try:
            return super().populate_indicators(dataframe, metadata)
        finally:
            self.freqai.start = start
'''

MODELS = """
import atexit
import json
import os
import time

from freqtrade.freqai.prediction_models.LightGBMClassifier import LightGBMClassifier

from quorate.integrations.freqtrade.strategies.freqai_model import QuorateFreqaiModel

SPENT = {"fit": 0.0, "predict": 0.0, "fits": 0}
atexit.register(lambda: open(os.path.join(os.environ["PREDICTIONS"], "seconds.json"), "w").write(json.dumps(SPENT)))


def timed(model):
    class Timed(model):
        def fit(self, *arguments, **more):
            began = time.perf_counter()
            try:
                return super().fit(*arguments, **more)
            finally:
                SPENT["fit"] += time.perf_counter() - began
                SPENT["fits"] += 1

        def predict(self, *arguments, **more):
            began = time.perf_counter()
            try:
                return super().predict(*arguments, **more)
            finally:
                SPENT["predict"] += time.perf_counter() - began

    return Timed


class TimedLightGBM(timed(LightGBMClassifier)):
    pass


class TimedVote(timed(QuorateFreqaiModel)):
    pass
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--models", default="xgboost,lightgbm", help="members of the vote")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    if freqtrade.environment() is None:
        print("no Freqtrade: make freqtrade, or name its environment in QUORATE_FREQTRADE")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder), chosen.pairs, chosen.days, chosen.models.split(","))
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "freqtrade_freqai.json").write_text(json.dumps(found, indent=1) + "\n")
    text = page(found)
    (chosen.out / "freqtrade_freqai.md").write_text(text)
    print(text)
    return 0


def compare(folder: Path, pairs: int, days: int, members: list[str]) -> dict[str, Any]:
    start = END - days * DAY_MS
    panel, synthetic = candles(pairs, start - (TRAIN_DAYS + WARM_DAYS) * DAY_MS)
    for own in panel.values():
        write_candles(folder / "data", own)
    predictions: dict[str, Path] = {}
    trades: dict[str, list[dict[str, Any]]] = {}
    with spawn(folder / "data") as stub:
        for name, model, parameters in (
            ("freqai", "TimedLightGBM", LIGHTGBM),
            ("vote", "TimedVote", {"models": members}),
        ):
            home = folder / name
            predictions[name] = home / "predictions"
            predictions[name].mkdir(parents=True)
            trades[name] = backtest(home, folder / "data", list(panel), start, model, parameters, stub.urls)
    losses, rows, prior = evaluate(predictions, panel)
    return {
        "about": {
            "pairs": list(panel),
            "days": days,
            "train_days": TRAIN_DAYS,
            "retrained_every_days": WEEK,
            "features": Settings().train.features,
            "members": members,
            "lightgbm": LIGHTGBM,
            "synthetic": synthetic,
            "rows": rows,
            "prior_log_loss": prior,
            "machine": platform.machine(),
            "cpus": os.cpu_count(),
        },
        "models": {
            name: {
                "log_loss": losses[name],
                **figures(trades[name]),
                **json.loads((predictions[name] / "seconds.json").read_text()),
            }
            for name in predictions
        },
    }


def candles(pairs: int, first: int) -> tuple[dict[str, Candles], bool]:
    """Candles of the pairs, and whether they are synthetic."""
    if "QUORATE_DATA" in os.environ:
        source = FreqtradeFolder(Path(os.environ["QUORATE_DATA"]) / "binance")
        names = [f"{base}/USDT" for base in PAIRS[:pairs]]
        return {name: source.candles(name, "1h", first, END + HOUR_MS) for name in names}, False
    market = SyntheticMarket(seed=7, symbols=pairs, bars=(END + HOUR_MS - first) // HOUR_MS, start=first)
    made = {}
    for base, own in zip(PAIRS, market.names, strict=False):
        made[f"{base}/USDT"] = replace(market.candles(own), symbol=f"{base}/USDT")
    return made, True


def backtest(
    home: Path,
    data: Path,
    pairs: list[str],
    start: int,
    model: str,
    parameters: dict[str, Any],
    urls: dict[str, str],
) -> list[dict[str, Any]]:
    """Trades of one model; its predictions and times are written to home/predictions."""
    for name, text in (("strategies/compared.py", STRATEGY), ("freqaimodels/timed.py", MODELS)):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)
    freqai = {
        "enabled": True,
        "identifier": model,
        "train_period_days": TRAIN_DAYS,
        "backtest_period_days": WEEK,
        "purge_old_models": 2,
        "save_backtest_models": False,
        "activate_tensorboard": False,
        "feature_parameters": {
            "include_timeframes": ["1h"],
            "include_corr_pairlist": [],
            "label_period_candles": Settings().target.horizon,
            "include_shifted_candles": 0,
            "indicator_periods_candles": [14],
            "DI_threshold": 0,
            "weight_factor": 0,
            "principal_component_analysis": False,
            "plot_feature_importances": 0,
        },
        "data_split_parameters": {"test_size": 0.2, "shuffle": False},
        "model_training_parameters": parameters,
    }
    config = freqtrade.configuration(
        urls, pairs, futures=False, timeframe="1h", freqai=freqai, quorate={"tag": "consensus"}
    )
    (home / "config.json").write_text(json.dumps(config))
    done = freqtrade.run(
        *("backtesting", "--userdir", home, "--datadir", data, "-c", home / "config.json", "--strategy", "Compared"),
        *("--freqaimodel", model, "--timerange", f"{start}-{END}", "--fee", "0.001", "--cache", "none"),
        *("--export", "trades"),
        cwd=home,
        settings={"PREDICTIONS": str(home / "predictions"), "QUORATE_TRAIN__THREADS": "1"},
        timeout=7_200,
    )
    if done.returncode or not list((home / "predictions").glob("*.feather")):
        raise SystemExit(f"{model}: {done.stdout[-1500:]}{done.stderr[-3000:]}")
    return freqtrade.exported_trades(home / "backtest_results")


def evaluate(predictions: dict[str, Path], panel: dict[str, Candles]) -> tuple[dict[str, float], int, float]:
    """Log-loss of each model on the bars that all predicted, their number, and the log-loss of the class shares."""
    target = Settings().target
    scores: dict[str, list[Any]] = {name: [] for name in predictions}
    labels: list[Any] = []
    for pair, own in panel.items():
        known = ForwardClass(target.horizon, target.band).label(own)
        frames = {name: read(path / f"{pair.replace('/', '_')}.feather") for name, path in predictions.items()}
        shared = own.time[known.known]
        for time, table in frames.values():
            shared = np.intersect1d(shared, time[np.isfinite(table).all(axis=1) & (table.sum(axis=1) > 0)])
        labels.append(known.y[np.searchsorted(own.time, shared)])
        for name, (time, table) in frames.items():
            scores[name].append(table[np.searchsorted(time, shared)])
    y = np.concatenate(labels)
    losses = {}
    for name, parts in scores.items():
        table = np.concatenate(parts)
        table = np.clip(table / table.sum(axis=1, keepdims=True), 1e-15, 1)
        losses[name] = float(-np.log(table[np.arange(len(y)), y]).mean())
    shares = np.bincount(y, minlength=3) / len(y)
    return losses, len(y), float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


def read(path: Path) -> tuple[Any, Any]:
    """(n,) times in ms and (n, 3) probabilities; NaN where FreqAI suppressed the prediction."""
    table = feather.read_table(path)
    time = table["date"].cast(pa.timestamp("ms", tz="UTC")).cast(pa.int64()).to_numpy()
    scores = np.column_stack([table[name].to_numpy() for name in CLASS_NAMES]).astype(np.float64)
    scores[table["do_predict"].to_numpy() != 1] = np.nan
    return time, scores


def figures(trades: list[dict[str, Any]]) -> dict[str, float | int | None]:
    profit = np.array([trade["profit_abs"] for trade in trades])
    return {
        "trades": len(trades),
        "win_rate": float((profit > 0).mean()) if len(trades) else None,
        "net_usdt": float(profit.sum()),
    }


def page(found: dict[str, Any]) -> str:
    about, models = found["about"], found["models"]
    lines = [
        "# The vote beside FreqAI's LightGBM classifier",
        "",
        f"`python benchmarks/freqtrade_freqai.py`: {len(about['pairs'])} spot pairs, the last {about['days']} days "
        f"before 2025-10-14 in 1h bars, {'synthetic' if about['synthetic'] else 'real'} candles, trained every "
        f"{about['retrained_every_days']} days on the {about['train_days']} before, one model per pair, features "
        f"{about['features']}, stakes of 100 USDT, fee 0.1 % per side, {about['cpus']} cores. Members of the vote: "
        f"{', '.join(about['members'])}.",
        "",
        "| model | log-loss | trades | win rate | net profit | training | prediction |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, what in (("freqai", "FreqAI's LightGBM"), ("vote", "the vote, trained by FreqAI")):
        one = models[name]
        rate = "" if one["win_rate"] is None else f"{one['win_rate']:.1%}"
        lines.append(
            f"| {what} | {one['log_loss']:.4f} | {one['trades']:,} | {rate} | {one['net_usdt']:+.2f} USDT "
            f"| {one['fit']:.1f} s in {one['fits']} | {one['predict']:.1f} s |"
        )
    lines += [
        "",
        f"Log-loss on the {about['rows']:,} bars that both predicted. The class shares on these bars, known only "
        f"afterwards, have a log-loss of {about['prior_log_loss']:.4f}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
