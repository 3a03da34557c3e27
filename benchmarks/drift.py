"""How often the watch for drift cries wolf, and how long it takes to see a change.

Streams are real rows of features, and real outcomes of a bundle trained on other months, drawn again in blocks of
consecutive days, so that nothing changes in them but what is planted; and the synthetic market, which is stationary by
construction. For every stream a reference is fitted on its first days, with the settings as they are, and the next
year is watched day by day.

Run: python benchmarks/drift.py DATA [--runs 20] [--out benchmarks/results/drift.md]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from quorate.core.clock import DAY_MS, parse_ms
from quorate.core.progress import silent
from quorate.core.sections.drift import DriftSettings
from quorate.core.settings import Settings
from quorate.core.types import FloatArray, IntArray
from quorate.core.wilson import wilson
from quorate.ensemble.inference.loading import load_bundle
from quorate.evaluation.daily_sums import daily_counts, daily_outcomes
from quorate.evaluation.drift_reference import DriftReference, WatchedFeature, WatchedScores, fit_features, fit_scores
from quorate.evaluation.statistics.stationary_streams import YEAR_DAYS, drawn_days
from quorate.features import Bars, build, feature_set
from quorate.lifecycle.drift.adwin import rises
from quorate.lifecycle.drift.looks import FeatureLooks, ScoreLooks, episodes
from quorate.lifecycle.drift.unseen import Outcomes, horizon_losses, read_unseen
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.train import train

SYMBOLS = tuple(f"{name}/USDT:USDT" for name in ("BTC", "ETH", "BCH", "LTC", "ADA", "XRP"))
FEATURES = "core30"
HORIZON = 5
BARS_A_DAY = 24
# The bundle whose outcomes are drawn, and the days that it has not seen: those before its training.
TRAINED = ("2025-01-01", "2025-07-01")
UNSEEN = ("2020-02-10", "2024-12-20")
# A change is planted this many days into the watched year, at the start of a day.
CHANGE_DAY = 60
SHIFTS = (0.5, 1.0, 2.0)  # of one feature, in its standard deviations in the known days
LOSSES = (0.25, 0.5, 1.0)  # share of rows whose outcome is drawn anew from the class shares
SHARPENED = (1.5, 2.0, 4.0)  # power of the probabilities


class Days(NamedTuple):
    """Rows in order of their days.

    Attributes:
        first: (days + 1,) first row of each day.
    """

    first: IntArray

    def rows(self, days: IntArray) -> tuple[IntArray, IntArray]:
        """Rows of some days, and the number in `days` that each belongs to."""
        parts = [np.arange(self.first[day], self.first[day + 1]) for day in days]
        return np.concatenate(parts), np.repeat(np.arange(len(days)), [len(part) for part in parts])

    def __len__(self) -> int:
        return len(self.first) - 1


@dataclass(frozen=True, slots=True, eq=False)
class FeatureStream:
    """Rows of features by day.

    Attributes:
        name: for the table.
        X: (n, F).
        days: of the rows.
    """

    name: str
    X: FloatArray
    days: Days


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeStream:
    """Outcomes by day.

    Attributes:
        prior: (3,) class shares of the training.
    """

    name: str
    outcomes: Outcomes
    prior: FloatArray
    days: Days


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/drift.md"))
    given = parser.parse_args()
    settings, runs = DriftSettings(), given.runs
    real, synthetic = real_features(given.data), synthetic_features()
    scored = real_outcomes(given.data)
    lines = [*header(settings, runs, real, scored), "", "## Alarms in a year without change", "", *ALARM_HEAD]
    for stream, known, blocks in (
        (real, 63, 7), (real, 126, 7), (real, 126, 14), (real, 126, 28), (real, 255, 14), (real, 255, 28),
        (synthetic, 126, 14),
    ):  # fmt: skip
        years = [watch_features(stream, known, blocks, settings, seed)[0] for seed in range(runs)]
        lines.append(alarm_row("features", f"{stream.name}, regimes of {blocks} days", known, years))
        print(lines[-1], flush=True)
    for known, blocks in ((126, 7), (126, 14), (126, 28), (255, 28)):
        found = [watch_outcomes(scored, known, blocks, settings, seed) for seed in range(runs)]
        for place, detector in enumerate(("skill", "calibration", "log-loss (ADWIN)")):
            years = [one[place] for one in found]
            lines.append(alarm_row(detector, f"{scored.name}, regimes of {blocks} days", known, years))
            print(lines[-1], flush=True)
    lines += ["", "## Delay to detection", "", *DELAY_HEAD]
    for shift in SHIFTS:
        delays = [one for seed in range(runs) for one in watch_features(real, 126, 14, settings, seed, shift)[1]]
        lines.append(delay_row("one feature shifts, by its standard deviations", shift, "features", delays))
        print(lines[-1], flush=True)
    plans: tuple[tuple[str, Sequence[float], Callable[[float], Change]], ...] = (
        ("loss of skill: share of outcomes that become chance", LOSSES, lose_skill),
        ("miscalibration: probabilities to the power", SHARPENED, sharpen),
    )
    for what, sizes, change in plans:
        for size in sizes:
            found = [watch_outcomes(scored, 126, 14, settings, seed, change(size)) for seed in range(runs)]
            for place, detector in enumerate(("skill", "calibration", "log-loss (ADWIN)")):
                seen = [delay_days(year[place]) for year in found]
                lines.append(delay_row(what, size, detector, seen))
                print(lines[-1], flush=True)
    given.out.write_text("\n".join([*lines, ""]))


ALARM_HEAD = (
    "| detector | stream | known days | alarms a year | years with one | days with one |",
    "|---|---|---|---|---|---|",
)
DELAY_HEAD = (
    "| change | size | detector | seen within 90 days | median delay | middle half of delays |",
    "|---|---|---|---|---|---|",
)

#: Alarms of a year, a day each.
Year = np.ndarray
Change = Callable[[Outcomes, np.ndarray, np.random.Generator, FloatArray], Outcomes]


def header(settings: DriftSettings, runs: int, real: FeatureStream, scored: OutcomeStream) -> list[str]:
    return [
        "# Watch for drift: false alarms and delays",
        "",
        f"`python benchmarks/drift.py DATA --runs {runs}`; {runs} years a row, each with days, reference and change of "
        f"its own seed. Window {settings.window_days} days, blocks of the bootstrap an 18th of the known days from 7 "
        f"to 28, chance {settings.chance:g} a year for the features, for skill and for calibration; ADWIN with delta "
        f"{settings.adwin_delta:g} on means of {HORIZON} bars.",
        "",
        f"Real rows: {', '.join(symbol.split('/')[0] for symbol in SYMBOLS)} in hours, {FEATURES}, "
        f"{len(real.days):,} days from 2020-02 to 2025-10; outcomes of a bundle of trees "
        f"trained on {TRAINED[0]} to {TRAINED[1]}, {len(scored.days):,} days from {UNSEEN[0]} to {UNSEEN[1]}. "
        "Days are drawn in blocks (the regimes below): nothing changes but what is planted. An alarm is a run of "
        "days; a delay counts "
        f"from the start of the change to the first day with an alarm, {BARS_A_DAY} bars a day.",
    ]


def real_features(data: Path) -> FeatureStream:
    source, parts, times = FreqtradeFolder(data), [], []
    for symbol in SYMBOLS:
        candles = source.candles(symbol, "1h", parse_ms("2020-01-20"), parse_ms("2025-10-14"))
        X = build(Bars(candles), feature_set(FEATURES))
        whole = np.isfinite(X).all(axis=1) & (candles.time >= parse_ms("2020-02-10"))
        parts.append(X[whole])
        times.append(candles.time[whole])
    return by_day("real", np.concatenate(parts), np.concatenate(times))


def synthetic_features() -> FeatureStream:
    market = SyntheticMarket(seed=7, symbols=6, bars=1_500 * BARS_A_DAY)
    parts, times = [], []
    for symbol in market.names:
        candles = market.candles(symbol)
        X = build(Bars(candles), feature_set(FEATURES))
        whole = np.isfinite(X).all(axis=1)
        parts.append(X[whole])
        times.append(candles.time[whole])
    return by_day("synthetic market", np.concatenate(parts), np.concatenate(times))


def by_day(name: str, X: FloatArray, time: IntArray) -> FeatureStream:
    order, days = days_of(time)
    return FeatureStream(name, X[order], days)


def days_of(time: IntArray) -> tuple[IntArray, Days]:
    """Order of the rows by time, and their days."""
    order = np.argsort(time, kind="stable")
    day = time[order] // DAY_MS
    first = np.flatnonzero(np.diff(day, prepend=-1))
    return order, Days(np.append(first, len(day)))


def real_outcomes(data: Path) -> OutcomeStream:
    """Outcomes of a bundle on days that it was not trained on."""
    with TemporaryDirectory() as folder:
        made = train(
            data, folder, models="xgboost,lightgbm", symbols=SYMBOLS, timeframe="1h",
            start=TRAINED[0], end=TRAINED[1], settings=Settings(),
        )  # fmt: skip
        bundle = load_bundle(made.path)
        source = FreqtradeFolder(data)
        start, end = map(parse_ms, UNSEEN)
        panel = {symbol: source.candles(symbol, "1h", start - 20 * DAY_MS, end) for symbol in SYMBOLS}
        rows = read_unseen(bundle, panel, start, silent, scored=True)
    assert rows.outcomes is not None
    order, days = days_of(rows.outcomes.time)
    return OutcomeStream("real", taken(rows.outcomes, order), np.array(bundle.manifest.class_prior), days)


def taken(outcomes: Outcomes, rows: IntArray) -> Outcomes:
    return Outcomes(outcomes.y[rows], outcomes.probabilities[rows], {}, outcomes.time[rows], outcomes.known_at[rows])


def watch_features(
    stream: FeatureStream, known: int, block: int, settings: DriftSettings, seed: int, shift: float = 0.0
) -> tuple[Year, list[int | None]]:
    """Alarms of a year, and the delay in days of each third feature if it alone shifts."""
    generator = np.random.default_rng(seed)
    drawn = drawn_days(len(stream.days), known + YEAR_DAYS, block, generator)
    rows, day = stream.days.rows(drawn)
    X, first = stream.X[rows], day < known
    names = feature_set(FEATURES).names
    features, _ = fit_features(names, X[first], day[first] * DAY_MS, settings)
    columns = [names.index(feature.name) for feature in features]
    window = settings.window_days

    def looks(chosen: Sequence[WatchedFeature], values: FloatArray) -> FeatureLooks:
        counts = daily_counts([feature.cells for feature in chosen], values, day, len(drawn))
        reference = DriftReference(window, 1, settings.chance, known, tuple(chosen))
        return FeatureLooks.of(counts[known:], reference)

    if not shift:
        return looks(features, X[:, columns]).alarms.any(axis=1), []
    delays = []
    for place in range(seed % 3, len(features), 3):
        column = X[:, columns[place]].astype(np.float64)
        column[day >= known + CHANGE_DAY] += shift * column[first].std()
        alarms = looks(features[place : place + 1], column[:, None]).alarms[:, 0]
        delays.append(delay_days(alarms))
    return np.empty(0), delays


def delay_days(alarms: Year) -> int | None:
    """Days from the change to the first alarm after it, within 90; alarms[0] is the look after the first window."""
    begin = CHANGE_DAY - (YEAR_DAYS - len(alarms))
    found = np.flatnonzero(alarms[begin : begin + 90])
    return int(found[0]) + 1 if len(found) else None


def watch_outcomes(
    stream: OutcomeStream, known: int, block: int, settings: DriftSettings, seed: int, change: Change | None = None
) -> tuple[Year, Year, Year]:
    """Alarms of a year, by skill, calibration error and ADWIN."""
    generator = np.random.default_rng(seed)
    drawn = drawn_days(len(stream.days), known + YEAR_DAYS, block, generator)
    rows, day = stream.days.rows(drawn)
    # Days follow each other in the stream; within a day, bars keep their time.
    outcomes = taken(stream.outcomes, rows)
    outcomes = replace(outcomes, time=day * DAY_MS + outcomes.time % DAY_MS)
    if change is not None:
        outcomes = change(outcomes, day >= known + CHANGE_DAY, generator, stream.prior)
    first = day < known
    scores, why = fit_scores(
        outcomes.y[first], outcomes.probabilities[first], stream.prior, outcomes.time[first], settings
    )
    assert isinstance(scores, WatchedScores), why
    sums = daily_outcomes(outcomes.y, outcomes.probabilities, stream.prior, day, len(drawn))
    looks = ScoreLooks.of(sums[known:], settings.window_days, scores)
    later = taken(outcomes, np.flatnonzero(~first))
    time, losses = horizon_losses(later, HORIZON)
    adwin = np.zeros(len(looks.skill), np.bool_)
    for rise in rises(losses, settings.adwin_delta):
        at = int(time[rise.at] // DAY_MS) - known - settings.window_days + 1
        adwin[max(0, at) : max(0, at + settings.window_days)] = True
    return looks.skill_alarms, looks.error_alarms, adwin


def lose_skill(share: float) -> Change:
    """From a day on, outcomes of a share of the rows are drawn from the class shares."""

    def change(outcomes: Outcomes, late: np.ndarray, generator: np.random.Generator, prior: FloatArray) -> Outcomes:
        drawn = generator.choice(3, len(late), p=prior)
        y = np.where(late & (generator.random(len(late)) < share), drawn, outcomes.y)
        return replace(outcomes, y=y.astype(np.int8))

    return change


def sharpen(power: float) -> Change:
    """From a day on, probabilities are too sure of themselves."""

    def change(outcomes: Outcomes, late: np.ndarray, _: np.random.Generator, __: FloatArray) -> Outcomes:
        sharp = outcomes.probabilities**power
        sharp /= sharp.sum(axis=1, keepdims=True)
        return replace(outcomes, probabilities=np.where(late[:, None], sharp, outcomes.probabilities))

    return change


def alarm_row(detector: str, stream: str, known: int, years: list[Year]) -> str:
    counts = np.array([episodes(year) for year in years], np.float64)
    low, high = bootstrapped(counts)
    any_low, any_high = wilson(int((counts > 0).sum()), len(counts), 0.95)
    share = np.mean([year.mean() for year in years])
    return (
        f"| {detector} | {stream} | {known} | {counts.mean():.2f} ({low:.2f} to {high:.2f}) | "
        f"{(counts > 0).mean():.0%} ({any_low:.0%} to {any_high:.0%}) | {share:.1%} |"
    )


def delay_row(what: str, size: float, detector: str, delays: Sequence[int | None]) -> str:
    seen = [delay for delay in delays if delay is not None]
    low, high = wilson(len(seen), len(delays), 0.95)
    share = f"{len(seen) / len(delays):.0%} ({low:.0%} to {high:.0%}) of {len(delays)}"
    if not seen:
        return f"| {what} | {size:g} | {detector} | {share} | | |"
    lower, middle, upper = np.quantile(seen, [0.25, 0.5, 0.75])
    return (
        f"| {what} | {size:g} | {detector} | {share} | {middle:.0f} days, {middle * BARS_A_DAY:,.0f} bars | "
        f"{lower:.0f} to {upper:.0f} days |"
    )


def bootstrapped(counts: FloatArray) -> tuple[float, float]:
    """95 % interval of the mean."""
    generator = np.random.default_rng(1)
    means = generator.choice(counts, (2_000, len(counts))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main()
