"""Errors and power of the challenger test when it is looked at after every bar.

    python benchmarks/challenge.py            # 2,000 series of each null; some minutes
    python benchmarks/challenge.py --series 100 --out /tmp/challenge.md

Nulls: neither bundle is better. A wrong verdict is an e-value of 1 / alpha at any of 2,016 bars (12 weeks of hours);
its rate may be alpha = 5 % at most. Then power: the challenger knows something of what comes, the champion the class
shares.

Returns of six markets share a common part; they are Student t with 3 degrees of freedom, and their volatility
wanders. Labels are classes of the return over 5 bars, so those of neighbouring bars overlap. Forecasts tilt the class
shares by a signal that persists (autocorrelation 0.95 a bar).
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quorate.core.settings import ChallengeSettings, TargetSettings
from quorate.core.types import FloatArray
from quorate.evaluation.statistics.betting import BettingTest
from quorate.lifecycle.challenge.forecasts import floored

TERMS, TARGET = ChallengeSettings(), TargetSettings()
BARS, MARKETS, CHUNK = TERMS.horizon_bars, 6, 100
PERSISTENCE, VOLATILITY = 0.95, 0.005
RESULT = Path(__file__).parent / "results" / "challenge.md"

#: Seeded random numbers, series, bars -> differences and their bounds, (series, bars) each.
Draw = Callable[[np.random.Generator, int, int], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True)
class Looked:
    """What looking after every bar found.

    Attributes:
        above, below: (series,) bar of the first e-value of 1 / alpha for the challenger and the champion; -1 for none.
        mean, spread: of all differences, and their standard deviation.
        t_test: (series,) whether a one-sided t-test of alpha for the challenger ever was significant, at as many looks.
    """

    above: np.ndarray
    below: np.ndarray
    mean: float
    spread: float
    t_test: np.ndarray


def persistent(random: np.random.Generator, series: int, bars: int, markets: int) -> FloatArray:
    """(series, bars, markets) autoregressions of order 1 with variance 1, half of it common to the markets."""
    steps = random.standard_normal((series, bars, markets)) + random.standard_normal((series, bars, 1))
    found = np.empty_like(steps)
    found[:, 0] = steps[:, 0]
    for bar in range(1, bars):
        found[:, bar] = PERSISTENCE * found[:, bar - 1] + math.sqrt(1 - PERSISTENCE**2) * steps[:, bar]
    return found / math.sqrt(2)


def returns(random: np.random.Generator, signal: FloatArray, drift: float) -> FloatArray:
    """(series, bars, markets) returns with heavy tails and wandering volatility; `drift` is what the signal tells."""
    series, bars, markets = signal.shape
    own, common = random.standard_t(3, (series, bars, markets)), random.standard_t(3, (series, bars, 1))
    noise = (0.6 * common + 0.8 * own) / math.sqrt(3)
    wandering = persistent(random, series, bars, 1)
    return VOLATILITY * np.exp(0.5 * wandering) * (noise + drift * signal)


def labels(moves: FloatArray) -> np.ndarray:
    """(series, bars - horizon, markets) classes of the return over the horizon after each bar."""
    ahead = np.cumsum(moves, axis=1)
    later = ahead[:, TARGET.horizon :] - ahead[:, : -TARGET.horizon]
    return np.where(later > TARGET.band, 2, np.where(later < -TARGET.band, 0, 1))


def forecasts(tilt: FloatArray) -> FloatArray:
    """(..., 3) class shares tilted towards BUY by `tilt` logits, and away from SELL."""
    logits = np.stack([-tilt, np.full_like(tilt, math.log(0.4 / 0.3)), tilt], axis=-1)
    shares = np.exp(logits)
    return floored((shares / shares.sum(axis=-1, keepdims=True)).reshape(-1, 3), TERMS.least_probability).reshape(
        logits.shape
    )


def compared(champion: FloatArray, challenger: FloatArray, y: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Differences of the log-losses and their bounds, mean over the markets, as a challenge has them."""
    apart = np.log(challenger) - np.log(champion)
    found = np.take_along_axis(apart, y[..., None], axis=-1)[..., 0].mean(axis=-1)
    return found, np.abs(apart).max(axis=-1).mean(axis=-1)


def opposite(random: np.random.Generator, series: int, bars: int) -> tuple[FloatArray, FloatArray]:
    """Two bundles that tilt to opposite sides by a signal that tells nothing; markets are symmetric."""
    signal = persistent(random, series, bars + TARGET.horizon, MARKETS)
    y = labels(returns(random, signal, 0.0))
    tilt = 0.3 * signal[:, :bars]
    return compared(forecasts(-tilt), forecasts(tilt), y)


def unrelated(random: np.random.Generator, series: int, bars: int) -> tuple[FloatArray, FloatArray]:
    """Two bundles with errors of their own, of one law: equal on average, and one ahead of the other for days."""
    ours = persistent(random, series, bars + TARGET.horizon, MARKETS)
    theirs = persistent(random, series, bars + TARGET.horizon, MARKETS)
    y = labels(returns(random, ours, 0.0))
    return compared(forecasts(0.5 * ours[:, :bars]), forecasts(0.5 * theirs[:, :bars]), y)


def independent(random: np.random.Generator, series: int, bars: int) -> tuple[FloatArray, FloatArray]:
    """The same without any dependence: fresh tilts and labels at every bar."""
    tilt = 0.3 * random.standard_normal((series, bars, MARKETS))
    y = random.choice(3, (series, bars, MARKETS), p=[0.3, 0.4, 0.3])
    return compared(forecasts(-tilt), forecasts(tilt), y)


def accounts(random: np.random.Generator, series: int, bars: int) -> tuple[FloatArray, FloatArray]:
    """Net returns of two accounts less each other: heavy tails, wandering volatility, no expectation."""
    wandering = persistent(random, series, bars, 1)[..., 0]
    found = 0.002 * np.exp(0.5 * wandering) * random.standard_t(3, (series, bars)) / math.sqrt(3)
    limit = TERMS.return_bound
    return np.clip(found, -limit, limit), np.full_like(found, limit)


def skewed(random: np.random.Generator, series: int, bars: int) -> tuple[FloatArray, FloatArray]:
    """The same with rare gains of three times the usual loss, as targets and stops give."""
    found = random.choice([-0.004, 0.0, 0.012], (series, bars), p=[0.15, 0.8, 0.05])
    return found, np.full_like(found, TERMS.return_bound)


def earning(gain: float) -> Draw:
    """A challenger whose account earns more, as much on every bar on average."""

    def draw(random: np.random.Generator, series: int, bars: int) -> tuple[FloatArray, FloatArray]:
        values, bounds = accounts(random, series, bars)
        return np.clip(values + gain, -bounds, bounds), bounds

    return draw


def informed(drift: float, tilt: float) -> Draw:
    """A challenger that tilts by a signal of what comes, and a champion that forecasts the class shares."""

    def draw(random: np.random.Generator, series: int, bars: int) -> tuple[FloatArray, FloatArray]:
        signal = persistent(random, series, bars + TARGET.horizon, MARKETS)
        # The return of a bar follows the signal of the bar before.
        ahead = np.concatenate([np.zeros_like(signal[:, :1]), signal[:, :-1]], axis=1)
        y = labels(returns(random, ahead, drift))
        known = signal[:, :bars]
        return compared(forecasts(np.zeros_like(known)), forecasts(tilt * known), y)

    return draw


def ever_significant(values: FloatArray, span: int) -> np.ndarray:
    """(series,) whether a t-test of the means of `span` bars each, from 30 of them on, is ever significant."""
    from scipy import stats

    whole = values[:, : values.shape[1] // span * span].reshape(len(values), -1, span).mean(axis=-1)
    count = np.arange(1, whole.shape[1] + 1)
    mean = np.cumsum(whole, axis=1) / count
    spread = np.cumsum(whole**2, axis=1) / count - mean**2
    degrees = np.maximum(count - 1, 1)
    statistic = mean / np.sqrt(np.maximum(spread, 1e-30) / degrees)
    return np.asarray((statistic > stats.t.ppf(1 - TERMS.alpha, degrees))[:, 29:].any(axis=1))


def look(draw: Draw, lanes: int, series: int, bars: int = BARS, seed: int = 7) -> Looked:
    """Play series of a kind, looking at both e-values after every bar."""
    above, below, tested, total, squares = [], [], [], 0.0, 0.0
    for part in range(0, series, CHUNK):
        count = min(CHUNK, series - part)
        values, bounds = draw(np.random.default_rng([seed, part]), count, bars)
        total += float(values.sum())
        squares += float((values**2).sum())
        # Labels of one bar and the next overlap: means of twice the horizon are nearly independent.
        tested.append(ever_significant(values, 2 * lanes if lanes > 1 else 1))
        test = BettingTest(lanes, shape=(count,))
        first = {"above": np.full(count, -1), "below": np.full(count, -1)}
        for bar in range(bars):
            if lanes > 1 and bar >= lanes:
                test.settle(bar % lanes, values[:, bar - lanes])
            if lanes == 1:  # settled at its own close, like the return of a bar
                test.place(0, bounds[:, bar])
                test.settle(0, values[:, bar])
            for name, log in (("above", test.log_above), ("below", test.log_below)):
                passed = (first[name] < 0) & (log >= -math.log(TERMS.alpha))
                first[name][passed] = bar + 1
            if lanes > 1:
                test.place(bar % lanes, bounds[:, bar])
        above.append(first["above"])
        below.append(first["below"])
    mean = total / (series * bars)
    spread = math.sqrt(max(squares / (series * bars) - mean**2, 0.0))
    return Looked(np.concatenate(above), np.concatenate(below), mean, spread, np.concatenate(tested))


NULLS: tuple[tuple[str, Draw, int], ...] = (
    ("log-loss, independent bars", independent, 1),
    ("log-loss, overlapping labels, opposite tilts", opposite, TARGET.horizon),
    ("log-loss, overlapping labels, equal only on average", unrelated, TARGET.horizon),
    ("net return, heavy tails", accounts, 1),
    ("net return, skewed", skewed, 1),
)
#: What the signal tells of a bar's return, in parts of its volatility; how far the challenger tilts by it.
SIZES = ((0.05, 0.10), (0.1, 0.2), (0.2, 0.4))


#: Of the equity a bar.
GAINS = (0.0001, 0.0003, 0.001)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=2_000)
    parser.add_argument("--out", type=Path, default=RESULT)
    chosen = parser.parse_args()
    series, began = chosen.series, time.perf_counter()
    lines = [
        "# The challenger test, looked at after every bar",
        "",
        f"`python benchmarks/challenge.py`: {series:,} series of {BARS:,} bars each, alpha {TERMS.alpha:.0%}, seed 7.",
        "",
        "| null: neither is better | challenger wins wrongly | champion wins wrongly | a t-test looked at as often |",
        "|---|---|---|---|",
    ]
    worst = 0.0
    for name, draw, lanes in NULLS:
        found = look(draw, lanes, series)
        rates = (found.above > 0).mean(), (found.below > 0).mean()
        worst = max(worst, *rates)
        lines.append(f"| {name} | {rates[0]:.2%} | {rates[1]:.2%} | {found.t_test.mean():.1%} |")
        print(lines[-1], f"{time.perf_counter() - began:.0f} s", flush=True)
    lines += ["", f"The largest rate is {worst:.2%}; at most {TERMS.alpha:.0%} is allowed.", ""]
    powered = max(series // 5, 1)
    tables: tuple[tuple[str, str, int, tuple[Draw, ...]], ...] = (
        ("the challenger saves, nats a bar", "{:.4f}", TARGET.horizon, tuple(informed(*size) for size in SIZES)),
        ("the challenger earns more, of the equity a bar", "{:.4%}", 1, tuple(map(earning, GAINS))),
    )
    for title, form, lanes, draws in tables:
        lines += [
            f"| {title} | standard deviation of a bar | a verdict for it within {BARS:,} bars | median bars to it "
            "| champion wins wrongly |",
            "|---|---|---|---|---|",
        ]
        for draw in draws:
            found = look(draw, lanes, powered)
            won = found.above > 0
            # A series without a verdict counts as longer than all others.
            median = float(np.median(np.where(won, found.above, np.inf)))
            shown = f"{median:,.0f}" if math.isfinite(median) else f"more than {BARS:,}"
            size = f"{form.format(found.mean)} | {form.format(found.spread)}"
            lines.append(f"| {size} | {won.mean():.1%} | {shown} | {(found.below > 0).mean():.2%} |")
            print(lines[-1], f"{time.perf_counter() - began:.0f} s", flush=True)
        lines.append("")
    lines.append(
        f"Power: {powered:,} series; log-losses are of six markets whose labels overlap over {TARGET.horizon} bars."
    )
    chosen.out.write_text("\n".join(lines) + "\n")
    return int(worst > TERMS.alpha)


if __name__ == "__main__":
    raise SystemExit(main())
