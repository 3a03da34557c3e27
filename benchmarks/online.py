"""Online learning on real candles: a frozen champion against the same bundle as its members learn on.

    QUORATE_DATA=DATA python benchmarks/online.py [--markets 6] [--small]

A bundle of the four members is trained on hourly perpetuals from 2024-11-01 to 2025-02-15, with the default settings,
and replayed to 2025-07-01 bar by bar: every bar is predicted before its label is learnt from. The frozen bundle and the
learners decide the same bars; differences are paired, and their intervals resample days of all markets. One learner is
given labels of a day that has not come, to show what a leak looks like here. Writes benchmarks/results/online.md and
.json; --small, 3 markets and 20 days, only prints. About ten minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, iso_ms, parse_ms
from quorate.core.sections.online import ONLINE_NETWORKS, ONLINE_TREES
from quorate.core.settings import EvaluationSettings, OnlineSettings, Settings
from quorate.core.types import BoolArray, Candles, FloatArray, IntArray
from quorate.ensemble.calibration.temperature import fit_temperature
from quorate.ensemble.inference import Bundle
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.training.train_ensemble import train_ensemble
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.metrics.classification import ece, row_log_loss
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.features import Bars, Inputs, build
from quorate.features.rescaled import hide_rescaled
from quorate.lifecycle.online import OnlineLearner
from quorate.lifecycle.online.matured import MaturedRows
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.workflows.runs.training_spec import complete_spec

RESULTS = Path(__file__).parent / "results"
START, TRAINED, END = "2024-11-01", "2025-02-15", "2025-07-01"
HISTORY = 498  # candles that a learner sees
LEAK_BARS = 24

Scores = dict[str, FloatArray]


class EarlyLearner(OnlineLearner):
    """A planted leak: labels of a day that has not come yet."""

    def rows(self, markets: Sequence[Candles], bar: int) -> MaturedRows:
        return super().rows(markets, bar + LEAK_BARS * HOUR_MS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markets", type=int, default=6)
    parser.add_argument("--small", action="store_true", help="3 markets and 20 days")
    options = parser.parse_args()
    data = os.environ.get("QUORATE_DATA")
    if not data:
        print("set QUORATE_DATA to the folder that holds binance/, the real candles", file=sys.stderr)
        return 2
    end = parse_ms(TRAINED) + 20 * DAY_MS if options.small else parse_ms(END)
    markets = 3 if options.small else options.markets
    panel = candles(Path(data) / "binance", markets, end)
    with tempfile.TemporaryDirectory() as folder:
        bundle = trained(panel, Path(folder))
        found = measured(bundle, panel, end)
    found["command"] = f"python benchmarks/online.py --markets {markets}"
    text = as_markdown(found)
    print(text)
    if not options.small:
        (RESULTS / "online.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (RESULTS / "online.md").write_text(text, encoding="utf-8")
    return 0


def candles(folder: Path, markets: int, end: int) -> dict[str, Candles]:
    """The markets with the most volume before the training."""
    source = FreqtradeFolder(folder)
    chosen = top(source, "1h", markets, parse_ms(START), settings=Settings().universe)
    return {symbol: source.candles(symbol, "1h").between(end=end) for symbol in chosen}


def trained(panel: Mapping[str, Candles], folder: Path) -> Bundle:
    settings = replace(Settings(), train=replace(Settings().train, threads=1))
    spec = complete_spec(RECIPES["vote"].models, "vote", settings)
    spec = replace(spec, start=parse_ms(START), end=parse_ms(TRAINED))
    bundle = load_bundle(train_ensemble(panel, "1h", spec, folder).path)
    if bundle.mode != "full":
        raise SystemExit(f"members failed: {bundle.members.failures}")
    return bundle


class Bench:
    """The bars of all markets from the first update on, one market after the other.

    Args:
        bundle: the champion.
        panel: symbol -> candles.
        end: exclusive, ms.
    """

    def __init__(self, bundle: Bundle, panel: Mapping[str, Candles], end: int) -> None:
        self.bundle, self.panel = bundle, panel
        step = OnlineSettings().every_bars * HOUR_MS
        self.updates = np.arange(-(-bundle.manifest.training_end // step) * step, end, step, dtype=np.int64)
        self.end = end
        target = RECIPES["vote"].make_target(bundle.manifest.target)
        self.inputs: dict[str, Inputs] = {}
        symbols, times, labels, known, ends = [], [], [], [], []
        for symbol, market in panel.items():
            X = build(Bars(market), bundle.features)
            hide_rescaled(X, Bars(market), market.timeframe, bundle.features.warmup)
            self.inputs[symbol] = Inputs(X, market.time, market.timeframe)
            found, chosen = target.label(market), market.time >= self.updates[0]
            symbols += [symbol] * int(chosen.sum())
            times.append(market.time[chosen])
            labels.append(found.y[chosen])
            known.append(found.known[chosen])
            ends.append(found.span_end[chosen])
        self.symbol, self.time = np.array(symbols), np.concatenate(times)
        self.y, self.known = np.concatenate(labels), np.concatenate(known)
        self.span_end = np.concatenate(ends)

    def scores(self, bundle: Bundle, first: int, until: int) -> Scores:
        """(n, 3) scores of every member on the bars of a span; NaN on all others."""
        found = {name: np.full((len(self.time), 3), np.nan) for name in bundle.members.order}
        for symbol, inputs in self.inputs.items():
            span = (inputs.time >= first) & (inputs.time < until)
            places = (self.symbol == symbol) & (self.time >= first) & (self.time < until)
            for name, table in bundle.members.scores(inputs, span).items():
                found[name][places] = table[span]
        return found

    def learnt(self, learner: OnlineLearner, ahead: int = 0) -> tuple[Scores, float]:
        """Scores of every member as it learns on, and seconds of an update; `ahead` bars are shown to a leak."""
        found = {name: np.full((len(self.time), 3), np.nan) for name in self.bundle.members.order}
        seconds = 0.0
        for update in self.updates.tolist():
            first, last = update - (HISTORY - 1) * HOUR_MS, update + (1 + ahead) * HOUR_MS
            markets = [market.between(first, min(last, self.end)) for market in self.panel.values()]
            began = time.perf_counter()
            bundle = learner.bundle_at(update, markets)
            seconds += time.perf_counter() - began
            following = update + (self.updates[1] - self.updates[0])
            for name, table in self.scores(bundle, update, int(following)).items():
                own = np.isfinite(table).all(axis=1)
                found[name][own] = table[own]
        return found, seconds / len(self.updates)

    def probabilities(self, scores: Scores) -> FloatArray:
        """(n, 3) of the ensemble, by the maps of the bundle."""
        policy = self.bundle.manifest.policy
        found = self.bundle.calibration.ensemble(scores, policy)
        return mean_scores(scores, policy) if found is None else found

    def recalibrated(self, scores: Scores) -> FloatArray:
        """(n, 3) of the ensemble by a temperature with class offsets fitted anew each week, on all outcomes known by
        then; by the maps of the bundle in the first four weeks.
        """
        mean, found = mean_scores(scores, self.bundle.manifest.policy), self.probabilities(scores)
        scored = np.isfinite(mean).all(axis=1)
        for first in self.updates[28::7].tolist():
            past = self.known & (self.span_end <= first) & scored
            later = (self.time >= first) & (self.time < first + 7 * DAY_MS) & scored
            found[later] = fit_temperature(mean[past], self.y[past], shifted=True)(mean[later])
        return found


def measured(bundle: Bundle, panel: Mapping[str, Candles], end: int) -> dict[str, Any]:
    """All arms on the rows that every one of them has scores for."""
    bench = Bench(bundle, panel, end)
    frozen = bench.scores(bundle, int(bench.updates[0]), end)
    learnt, seconds = bench.learnt(OnlineLearner(bundle, OnlineSettings()))
    print(f"learnt: {seconds:.2f} s an update", file=sys.stderr)
    own = [name for name in bundle.members.order if name in ONLINE_NETWORKS]
    networks = replace(OnlineSettings(), members=tuple(own))
    variants = {
        "networks learn at 0.3 of their rate": replace(networks, network_rate=0.3),
        "networks learn at their rate": replace(networks, network_rate=1.0),
        "networks learn at their rate, no replay": replace(networks, network_rate=1.0, replay_windows=0),
    }
    others = {name: bench.learnt(OnlineLearner(bundle, each))[0] for name, each in variants.items()}
    leaky = EarlyLearner(bundle, replace(OnlineSettings(), members=ONLINE_TREES))
    early, _ = bench.learnt(leaky, LEAK_BARS)
    trees = frozen | {name: learnt[name] for name in ONLINE_TREES}
    tables = {
        "frozen champion": bench.probabilities(frozen),
        "trees learn": bench.probabilities(trees),
        "networks learn": bench.probabilities(frozen | {name: learnt[name] for name in own}),
        "both learn": bench.probabilities(learnt),
        "both learn, recalibrated each week": bench.recalibrated(learnt),
        "frozen champion, recalibrated each week": bench.recalibrated(frozen),
        **{name: bench.probabilities(frozen | {one: table[one] for one in own}) for name, table in others.items()},
        "trees learn from labels of a day that has not come (a planted leak)": bench.probabilities(
            frozen | {name: early[name] for name in ONLINE_TREES}
        ),
    }
    members = {name: (frozen[name], learnt[name]) for name in bundle.members.order}
    everywhere = [*tables.values(), *frozen.values(), *learnt.values()]
    rows = bench.known & np.logical_and.reduce([np.isfinite(table).all(axis=1) for table in everywhere])
    judge = Judge(bench, rows)
    return {
        "bundle": {
            "members": list(bundle.members.order),
            "fitted_until": iso_ms(bundle.manifest.fitted_until),
            "trained_until": iso_ms(bundle.manifest.training_end),
            "ensemble_map": "none" if bundle.calibration.policy is None else bundle.calibration.policy.ensemble.kind,
        },
        "markets": list(panel),
        "settings": asdict(OnlineSettings()),
        "from": iso_ms(int(bench.updates[0])),
        "to": iso_ms(end),
        "rows": int(rows.sum()),
        "updates": len(bench.updates),
        "seconds_an_update": round(seconds, 2),
        "prior": judge.prior_loss,
        "arms": {name: judge.arm(table, tables["frozen champion"]) for name, table in tables.items()},
        "members": {name: judge.arm(after, before) for name, (before, after) in members.items()},
        "frozen_members": {name: judge.arm(before, before) for name, (before, _) in members.items()},
    }


class Judge:
    """Losses on the same rows.

    Args:
        bench: labels and times.
        rows: (n,) bool, which count.
    """

    def __init__(self, bench: Bench, rows: BoolArray) -> None:
        self.rows, self.y, time_ = rows, bench.y[rows], bench.time[rows]
        self.halves = {"first": time_ < np.median(time_), "second": time_ >= np.median(time_)}
        self.blocks = {"all": self._blocks(time_)}
        self.blocks |= {name: self._blocks(time_[half]) for name, half in self.halves.items()}
        prior = np.tile(bench.bundle.manifest.class_prior, (len(self.y), 1))
        self.prior_loss = float(row_log_loss(self.y, prior).mean())

    @staticmethod
    def _blocks(time_: IntArray) -> TimeBlocks:
        return TimeBlocks(time_, EvaluationSettings(block_hours=24, resamples=2_000))

    def arm(self, table: FloatArray, reference: FloatArray) -> dict[str, Any]:
        """Log-loss, skill against the prior, calibration error, and the loss less that of the reference."""
        scores = table[self.rows]
        loss = row_log_loss(self.y, scores)
        change = loss - row_log_loss(self.y, reference[self.rows])
        spans: dict[str, BoolArray | slice] = {"all": slice(None), **self.halves}
        found: dict[str, Any] = {
            "log_loss": float(loss.mean()),
            "skill": 1 - float(loss.mean()) / self.prior_loss,
            "ece": float(ece(self.y, scores, 10)),
        }
        for name, span in spans.items():
            blocks = self.blocks[name]
            found[name] = {
                "difference": float(change[span].mean()),
                "interval": blocks.interval(blocks.means(change[span])),
            }
        return found


def as_markdown(found: Mapping[str, Any]) -> str:
    settings = found["settings"]
    lines = [
        "# Online learning",
        "",
        f"`{found['command']}`: {found['rows']:,} rows of {len(found['markets'])} perpetuals, {found['from'][:10]} to "
        f"{found['to'][:10]}, predicted before their labels are learnt from, with {found['updates']} updates of "
        f"{found['seconds_an_update']} s on a busy machine. The bundle is trained to "
        f"{found['bundle']['trained_until'][:10]}; its members are fitted on labels to "
        f"{found['bundle']['fitted_until'][:10]}. Learners: {settings['trees']} trees at {settings['rate']:g} of their "
        f"rate, {settings['passes']} pass of a network at {settings['network_rate']:g} of its rate, every "
        f"{settings['every_bars']} bars; {settings['replay_windows']:,} windows of replay.",
        "",
        f"Class shares of the training alone: log-loss {found['prior']:.5f}. Differences in log-loss to the frozen "
        "champion on the same rows, 1e-5 nats, below 0 where learning is better, with 95 % intervals by days.",
        "",
        "| ensemble | log-loss | skill | calibration error | all | first half | second half |",
        "|---|---|---|---|---|---|---|",
        *(_line(name, arm) for name, arm in found["arms"].items()),
        "",
        "Members, as they learn, against themselves frozen; raw scores:",
        "",
        "| member | frozen | learns | skill | calibration error | all | first half | second half |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, arm in found["members"].items():
        before = found["frozen_members"][name]["log_loss"]
        lines.append(_line(f"{name} | {before:.5f}", arm))
    return "\n".join(lines) + "\n"


def _line(name: str, arm: Mapping[str, Any]) -> str:
    parts = " | ".join(_cell(arm[part]) for part in ("all", "first", "second"))
    return f"| {name} | {arm['log_loss']:.5f} | {100 * arm['skill']:.2f} % | {arm['ece']:.4f} | {parts} |"


def _cell(part: Mapping[str, Any]) -> str:
    interval = part["interval"]
    shown = "" if interval is None else f" ({1e5 * interval[0]:+.0f} to {1e5 * interval[1]:+.0f})"
    return f"{1e5 * part['difference']:+.0f}{shown}"


if __name__ == "__main__":
    raise SystemExit(main())
