"""Do no harm: how often a bundle trades where there is nothing to earn, and what it keeps where there is.

    QUORATE_DATA=DATA python benchmarks/do_no_harm.py [--trials 200] [--planted 20]

Each trial trains a bundle of two small tree members on five markets, lets its chosen policy decide on the 15 days that
follow, and trades them in an account. Markets without an edge: random walks of the synthetic market, with the costs of
the settings and without any, and real perpetuals of before 2025-07-01 whose days are permuted and each of whose hours
is mirrored by a coin, the same for all markets (`placebo`). Markets with a planted edge of four sizes: the attainable
gain is that of the best candidate chosen in hindsight on the later bars, and what the chosen policy earned on them is
its share.

Trials are kept one a line in results/do_no_harm-trials.jsonl; a run that was interrupted goes on where it stopped.
Writes results/do_no_harm.json and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import quorate
from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.settings import (
    CostSettings,
    LightGBMSettings,
    ModelSettings,
    Settings,
    TrainSettings,
    XGBoostSettings,
)
from quorate.core.types import Action, ActionArray, Candles, DecisionFrame, FloatArray
from quorate.core.wilson import wilson
from quorate.ensemble.training.candidates import Considered, grid
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.market import FreqtradeFolder, SyntheticMarket
from quorate.targets import ForwardClass

RESULTS = Path(__file__).parent / "results"
TRIALS = RESULTS / "do_no_harm-trials.jsonl"

SYMBOLS, DAYS, LATER_DAYS = 5, 90, 15
BARS, SEAM = 24 * (DAYS + LATER_DAYS), 24 * DAYS
MEMBERS = ("xgboost", "lightgbm")
EDGES = (0.02, 0.05, 0.1, 0.2)
# The real candles that are permuted; nothing later is read.
REAL_FROM, REAL_TO = "2024-11-01", "2025-07-01"

SETTINGS = replace(
    Settings(),
    models=ModelSettings(xgboost=XGBoostSettings(trees=30, depth=3), lightgbm=LightGBMSettings(trees=30, leaves=8)),
    train=TrainSettings(threads=1),
)
FREE = replace(SETTINGS, costs=CostSettings(taker_fee=0.0, slippage=0.0))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of market.

    Attributes:
        panel: seed -> symbol -> candles of `BARS` bars.
        settings: of the training and the account.
        planted: whether there is an edge.
    """

    panel: Callable[[int], Mapping[str, Candles]]
    settings: Settings
    planted: bool = False


def synthetic(edge: float) -> Callable[[int], Mapping[str, Candles]]:
    """Panels of the synthetic market with this edge."""
    return lambda seed: SyntheticMarket(seed=seed, symbols=SYMBOLS, bars=BARS, edge=edge).panel()


def kinds(data: Path | None) -> dict[str, Kind]:
    """Name -> kind; without a folder of real candles there are no permuted markets."""
    found = {
        "random walk": Kind(synthetic(0.0), SETTINGS),
        "random walk without costs": Kind(synthetic(0.0), FREE),
    }
    if data is not None:
        real = real_markets(data)
        found["permuted real markets"] = Kind(lambda seed: placebo(real, seed), SETTINGS)
    return found | {f"planted {edge:.0%}": Kind(synthetic(edge), SETTINGS, planted=True) for edge in EDGES}


def real_markets(data: Path) -> dict[str, Candles]:
    """The perpetuals with hourly candles over the whole span."""
    source = FreqtradeFolder(data / "binance")
    start, end = parse_ms(REAL_FROM), parse_ms(REAL_TO)
    bars = (end - start) // HOUR_MS
    found = {}
    for symbol in sorted(source.symbols("1h")):
        if symbol.endswith(":USDT"):
            candles = source.candles(symbol, "1h", start=start, end=end)
            if len(candles) == bars:
                found[symbol] = candles
    return found


def placebo(real: Mapping[str, Candles], seed: int) -> dict[str, Candles]:
    """Five real markets whose days are drawn in another order, and whose hours are mirrored by a coin.

    A day is the same for all markets and an hour's coin is too: volatility, its course over the day and the markets'
    common moves remain. No direction follows from anything before it.

    Args:
        real: symbol -> hourly candles of the same span.
        seed: of markets, days and coins.
    """
    random = np.random.default_rng(seed)
    chosen = sorted(random.choice(sorted(real), SYMBOLS, replace=False).tolist())
    days = random.permutation(len(real[chosen[0]]) // 24)[: BARS // 24]
    bars = (24 * days[:, None] + np.arange(24)).ravel()
    coin = random.choice((-1.0, 1.0), len(bars))
    return {symbol: rearranged(real[symbol], bars, coin) for symbol in chosen}


def rearranged(candles: Candles, bars: np.ndarray, coin: FloatArray) -> Candles:
    """Candles of other bars in this order, each joined to the close before it, its moves mirrored where `coin` is -1.

    Args:
        candles: without gaps.
        bars: (n,) numbers of the bars.
        coin: (n,) 1 or -1.
    """
    before = np.log(np.concatenate([candles.open[:1], candles.close[:-1]]))
    moves = {name: coin * (np.log(getattr(candles, name)) - before)[bars] for name in ("open", "high", "low", "close")}
    joined = np.log(candles.open[0]) + np.concatenate([[0.0], np.cumsum(moves["close"])[:-1]])
    up = coin > 0
    high, low = np.where(up, moves["high"], moves["low"]), np.where(up, moves["low"], moves["high"])
    return replace(
        candles,
        time=candles.time[0] + HOUR_MS * np.arange(len(bars)),
        open=np.exp(joined + moves["open"]),
        high=np.exp(joined + high),
        low=np.exp(joined + low),
        close=np.exp(joined + moves["close"]),
        volume=candles.volume[bars],
    )


def trial(kind: Kind, seed: int) -> dict[str, Any]:
    """Train on the first days, decide and trade the later ones."""
    panel = kind.panel(seed)
    seam = int(next(iter(panel.values())).time[SEAM])
    with tempfile.TemporaryDirectory() as out:
        settings = replace(kind.settings, train=replace(SETTINGS.train, seed=seed))
        spec = TrainingSpec(models=MEMBERS, settings=settings, end=seam)
        trained = train_ensemble(panel, "1h", spec, Path(out))
        bundle = quorate.load_bundle(trained.path)
        frames = {symbol: bundle.predict_frame(candles).between(seam) for symbol, candles in panel.items()}
        policy = bundle.calibration.policy
    account = BacktestSetup(panel, {}, kind.settings, kind.settings.target.horizon, seam).trade(frames)
    cost = 2 * (kind.settings.costs.taker_fee + kind.settings.costs.slippage)
    later = [_forward(panel[symbol], frame) for symbol, frame in frames.items()]
    best = 0.0
    if kind.planted and policy is not None:
        shown = bundle.with_policy("calibrated")
        parts = [shown.predict_frame(candles).between(seam) for candles in panel.values()]
        voters, n = np.full(len(parts[0]), len(MEMBERS)), len(MEMBERS)
        found = [Considered.of(policy, part.probabilities, voters, n, part.limit) for part in parts]  # type: ignore[arg-type]
        best = attainable(Considered.concat(found), np.concatenate(later), cost)
    earned = gain(np.concatenate([frame.action for frame in frames.values()]), np.concatenate(later), cost)
    return {
        "policy": trained.manifest.decides,
        "trades": len(account.trades),
        "equity_return": account.final_equity_usd / account.start_equity_usd - 1,
        "gain": earned,
        "attainable": best,
        "why": trained.manifest.metrics["probabilities"]["why"],
    }


def _forward(candles: Candles, frame: DecisionFrame) -> FloatArray:
    """(n,) forward return of each bar of the frame; NaN where it is not known."""
    labels = ForwardClass(SETTINGS.target.horizon, SETTINGS.target.band).label(candles)
    earned = np.where(labels.known, labels.forward_return, np.nan)
    return np.asarray(earned[np.searchsorted(candles.time, frame.time)])


def gain(action: ActionArray, forward_return: FloatArray, cost: float) -> float:
    """Sum of the net returns of all signals with a known outcome, a fraction."""
    acted = (action != Action.HOLD) & np.isfinite(forward_return)
    side = np.where(action[acted] == Action.BUY, 1.0, -1.0)
    return float((side * forward_return[acted] - cost).sum())


def attainable(found: Considered, forward_return: FloatArray, cost: float) -> float:
    """The largest gain of any pair of thresholds in hindsight, at least 0."""
    best = 0.0
    for pair in grid(found, sets=True):
        allowed = found.unambiguous if pair.unambiguous else found.paying
        enough = allowed & (found.expected_return >= pair.net_return) & (found.confidence >= pair.probability)
        best = max(best, gain(np.where(enough, found.side, Action.HOLD), forward_return, cost))
    return best


def summary(kind: Kind, trials: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of one kind of market."""
    opened = sum(one["trades"] > 0 for one in trials)
    low, high = wilson(opened, len(trials))
    found = {
        "trials": len(trials),
        "opened": opened,
        "opened_share": opened / len(trials),
        "opened_share_ci": [low, high],
        "policies": {
            name: sum(one["policy"] == name for one in trials) for name in sorted({t["policy"] for t in trials})
        },
        "mean_equity_return": float(np.mean([one["equity_return"] for one in trials])),
        "worst_equity_return": float(min(one["equity_return"] for one in trials)),
    }
    if kind.planted:
        best = sum(one["attainable"] for one in trials)
        acting = [one for one in trials if one["policy"] != "closed"]
        own = sum(one["attainable"] for one in acting)
        found |= {
            "kept_of_attainable": sum(one["gain"] for one in trials) / best if best else None,
            "kept_where_open": sum(one["gain"] for one in acting) / own if own else None,
        }
    return found


def as_markdown(found: Mapping[str, Any]) -> str:
    """The figures as a page."""
    lines = [
        "# Do no harm",
        "",
        f"`{found['command']}`: each trial trains {' and '.join(MEMBERS)} on {SYMBOLS} markets x {DAYS} days of 1h, "
        f"and trades the next {LATER_DAYS} days by the chosen policy.",
        "",
        "| markets | trials | trades at all | policies | mean equity | worst equity | gain kept | where open |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in found["kinds"].items():
        low, high = row["opened_share_ci"]
        policies = ", ".join(f"{policy} {count}" for policy, count in row["policies"].items())
        kept = ["" if row.get(key) is None else f"{row[key]:.0%}" for key in ("kept_of_attainable", "kept_where_open")]
        lines.append(
            f"| {name} | {row['trials']} | {row['opened_share']:.1%} [{low:.1%}, {high:.1%}] | {policies} | "
            f"{row['mean_equity_return']:+.2%} | {row['worst_equity_return']:+.2%} | {kept[0]} | {kept[1]} |"
        )
    return "\n".join(lines) + "\n"


def stored() -> dict[tuple[str, int], dict[str, Any]]:
    """The finished trials, by kind and seed."""
    if not TRIALS.exists():
        return {}
    lines = [json.loads(line) for line in TRIALS.read_text(encoding="utf-8").splitlines()]
    return {(line["kind"], line["seed"]): line["trial"] for line in lines}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200, help="of each kind without an edge")
    parser.add_argument("--planted", type=int, default=20, help="of each size of a planted edge")
    given = parser.parse_args()
    data = os.environ.get("QUORATE_DATA")
    if data is None:
        print("permuted real markets: not run, set QUORATE_DATA to the folder that holds binance/, the real candles")
    every = kinds(None if data is None else Path(data))
    done = stored()
    with TRIALS.open("a", encoding="utf-8") as file:
        for seed in range(max(given.trials, given.planted)):
            for name, kind in every.items():
                if (name, seed) in done or seed >= (given.planted if kind.planted else given.trials):
                    continue
                done[name, seed] = trial(kind, seed)
                file.write(json.dumps({"kind": name, "seed": seed, "trial": done[name, seed]}) + "\n")
                file.flush()
    found = {
        "command": "QUORATE_DATA=DATA python benchmarks/do_no_harm.py",
        "kinds": {
            name: summary(kind, [one for (of, _), one in sorted(done.items()) if of == name])
            for name, kind in every.items()
        },
    }
    text = as_markdown(found)
    print(text)
    (RESULTS / "do_no_harm.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "do_no_harm.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
