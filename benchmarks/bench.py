"""Benching of single members: how often it is wrong, how long it takes, and what it is worth.

Rows are the stored scores of a walk-forward over real perpetuals, as `python benchmarks/weights.py --walk FOLDER` makes
them. Years without change are days of these rows, drawn again in blocks; a fault of one member is planted by spoiling
its scores. At the end the real walk is benched as it was, fold after fold, with limits from the folds before.

Run: python benchmarks/bench.py FOLDER [--runs 100] [--out benchmarks/results/bench.md]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from quorate.core.clock import DAY_MS, format_ms
from quorate.core.sections.drift import DriftSettings
from quorate.core.sections.evaluation import EvaluationSettings
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.ensemble.inference.bench import Bench, bench_states
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.daily_sums import known_days
from quorate.evaluation.member_reference import WatchedMember, fit_members, limits_of, member_figures, member_sums
from quorate.evaluation.metrics.classification import row_log_loss
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.out_of_fold.predictions_file import read_predictions
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.stationary_streams import YEAR_DAYS, drawn_days
from quorate.lifecycle.bench.looks import MemberLooks, daily_sums
from quorate.lifecycle.bench.rule import drifted_spans
from quorate.targets.matured_days import MaturedDays
from weights import SCORES

#: Days of the year at which a fault begins, and at which it is mended.
FAULT, MENDED = 60, 150
KNOWN = 126
#: Markets of which less is known.
FEW = ("BTC/USDT:USDT", "ETH/USDT:USDT", "XRP/USDT:USDT")
BLOCKS = (7, 14, 28)
#: Into a fold of the real walk, the day at which a planted fault begins.
FOLD_FAULT = 10
NEVER = 99.0

Spoil = Callable[[FloatArray, IntArray, np.random.Generator], FloatArray]


def shuffled(table: FloatArray, day: IntArray, generator: np.random.Generator) -> FloatArray:
    """Scores of other rows of the same day."""
    order = np.lexsort((np.arange(len(day)), day))
    drawn = np.lexsort((generator.random(len(day)), day))
    found = np.empty_like(table)
    found[order] = table[drawn]
    return found


def inverted(table: FloatArray, _: IntArray, __: np.random.Generator) -> FloatArray:
    """The likely classes become the unlikely ones."""
    return (1 - table) / 2


def half_noise(table: FloatArray, day: IntArray, generator: np.random.Generator) -> FloatArray:
    """Scores of other rows on every second row."""
    return np.where(generator.random(len(day))[:, None] < 0.5, shuffled(table, day, generator), table)


def swapped(table: FloatArray, _: IntArray, __: np.random.Generator) -> FloatArray:
    """SELL and BUY are exchanged."""
    return table[:, ::-1]


FAULTS: Mapping[str, Spoil] = {
    "inverted": inverted,
    "shuffled": shuffled,
    "half noise": half_noise,
    "SELL and BUY exchanged": swapped,
}


class Market(NamedTuple):
    """The stored rows, with their sums by day.

    Attributes:
        rows: of all folds.
        prior: (3,) class shares.
        day: (n,) day of each row.
        sums: (days, m, 4 + bins).
    """

    rows: MemberPredictions
    prior: FloatArray
    day: IntArray
    sums: FloatArray

    @property
    def models(self) -> list[str]:
        """The members."""
        return list(self.rows.members)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the scores")
    parser.add_argument("--runs", type=int, default=100, help="years of each row")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/bench.md"))
    given = parser.parse_args()
    settings = DriftSettings()
    market = read(given.folder)
    lines = header(market, settings, given.runs)
    lines += ["", "## A year without change", "", *false_benchings(market, settings, given.runs)]
    lines += ["", "## A member that is spoilt, and mended", "", *delays(market, settings, given.runs)]
    few = of_rows(market.rows.select(np.isin(market.rows.symbol, [market.rows.symbols.index(name) for name in FEW])))
    lines += ["", f"## The same with {', '.join(name.split('/')[0] for name in FEW)} alone", ""]
    lines += [*false_benchings(few, settings, given.runs), "", *delays(few, settings, given.runs)]
    lines += ["", "## The real walk", "", *real_walk(market, settings)]
    lines += ["", "## What a bench is worth where a member breaks", "", *worth(market, settings)]
    lines += ["", "## Skill by age", "", *by_age(market)]
    given.out.write_text("\n".join([*lines, ""]), encoding="utf-8")


def read(folder: Path) -> Market:
    """The stored scores, on which the members' own calibration changes nothing but the last digits."""
    return of_rows(read_predictions(folder / SCORES))


def of_rows(rows: MemberPredictions) -> Market:
    """The rows with their sums by day."""
    prior = np.bincount(rows.y, minlength=3) / len(rows)
    day, days = known_days(rows.time)
    return Market(rows, prior, day, member_sums(rows.y, rows.members, prior, day, days))


def header(market: Market, settings: DriftSettings, runs: int) -> list[str]:
    rows = market.rows
    return [
        "# Benching of single members",
        "",
        f"`python benchmarks/weights.py --walk FOLDER`, then `python benchmarks/bench.py FOLDER --runs {runs}`: "
        f"{', '.join(market.models)}, {len(rows.symbols)} perpetuals, {rows.timeframe}, "
        f"{format_ms(int(rows.time[0]))[:10]} to {format_ms(int(rows.time[-1]))[:10]}, {len(rows):,} rows out of fold "
        f"on {len(market.sums)} days. Window {settings.window_days} days, chance {settings.chance:g} a year for all "
        f"members and figures together; limits from {KNOWN} known days, {runs} years a row. A year is drawn from the "
        "real days in blocks of the length that is named, so that nothing changes in it but what is planted.",
    ]


class Year(NamedTuple):
    """A drawn year with the limits from the days before it.

    Attributes:
        limits: of the members.
        days: numbers of the drawn days.
    """

    limits: Mapping[str, WatchedMember]
    days: IntArray


def years(market: Market, settings: DriftSettings, block: int, runs: int) -> list[Year]:
    """Years without change, each with known days, limits and a watched year of its own seed."""
    found = []
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        known = market.sums[drawn_days(len(market.sums), KNOWN, block, generator)]
        days = drawn_days(len(market.sums), YEAR_DAYS + settings.window_days - 1, block, generator)
        found.append(Year(limits_of(market.models, known, settings), days))
    return found


def states_of(year: Year, sums: FloatArray, settings: DriftSettings, *, behind: bool = True) -> BoolArray:
    """(looks, m) who is benched; without `behind`, by skill over the prior and calibration alone."""
    limits = year.limits
    if not behind:
        limits = {model: replace(own, behind_limit=NEVER) for model, own in limits.items()}
    looks = MemberLooks.of(sums, settings.window_days, limits)
    return bench_states(looks.beyond, looks.judged, settings.window_days)


def false_benchings(market: Market, settings: DriftSettings, runs: int) -> list[str]:
    lines = [
        "| days drawn in blocks of | benchings a member and year | years with any | days on the bench |",
        "|---|---|---|---|",
    ]
    for block in BLOCKS:
        states = [states_of(year, market.sums[year.days], settings) for year in years(market, settings, block, runs)]
        began = np.array([begins(one).sum(axis=0) for one in states], np.float64)
        low, high = percentiles(began.mean(axis=1))
        lines.append(
            f"| {block} | {began.mean():.3f} ({low:.3f} to {high:.3f}) | {np.mean(began.sum(axis=1) > 0):.0%} "
            f"| {np.mean([one.mean() for one in states]):.2%} |"
        )
        print(lines[-1], flush=True)
    return lines


def begins(states: BoolArray) -> BoolArray:
    """(looks, m) where a stay begins."""
    return np.asarray(states & ~np.concatenate([np.zeros((1, states.shape[1]), np.bool_), states[:-1]]))


def delays(market: Market, settings: DriftSettings, runs: int) -> list[str]:
    lines = [
        f"Blocks of 14 days; the fault lasts from day {FAULT} to day {MENDED}, each member in turn. Skill lost is that "
        "of the member over all its days. Delays are whole days; a return counts for those who were benched when the "
        "member was mended. In brackets: by skill over the prior and calibration alone, without how far it is behind.",
        "",
        "| fault | skill lost | benched before it is mended | median delay | middle half | median delay of the return "
        "| others benched meanwhile |",
        "|---|---|---|---|---|---|---|",
    ]
    drawn = years(market, settings, 14, runs)
    skills = member_figures(market.sums.sum(axis=0))[0]
    for fault, spoil in FAULTS.items():
        found: list[int] = []
        alone: list[int] = []
        returns: list[int] = []
        others, lost = 0, []
        for place, model in enumerate(market.models):
            sums = spoilt_sums(market, model, spoil)
            lost.append(float(skills[place] - member_figures(sums.sum(axis=0))[0][place]))
            for year in drawn:
                watched = market.sums[year.days]
                late = slice(FAULT + settings.window_days - 1, MENDED + settings.window_days - 1)
                watched[late] = sums[year.days][late]
                states = states_of(year, watched, settings)
                found.append(first_in(states[FAULT:MENDED, place]))
                alone.append(first_in(states_of(year, watched, settings, behind=False)[FAULT:MENDED, place]))
                if states[MENDED - 1, place]:
                    returns.append(first_in(~states[MENDED:, place]))
                rest = np.delete(begins(states)[FAULT:MENDED], place, axis=1)
                others += int(rest.any())
        seen, seen_alone = ([one for one in each if one >= 0] for each in (found, alone))
        back = [one for one in returns if one >= 0]
        lines.append(
            f"| {fault} | {np.mean(lost):.1%} | {len(seen) / len(found):.0%} ({len(seen_alone) / len(alone):.0%}) "
            f"| {median(seen)} ({median(seen_alone)}) | {half(seen)} | {median(back)} | {others / len(found):.0%} |"
        )
        print(lines[-1], flush=True)
    return lines


def first_in(flags: BoolArray) -> int:
    """Days until a flag, counted from 1; -1 without one."""
    found = np.flatnonzero(flags)
    return int(found[0]) + 1 if len(found) else -1


def spoilt_sums(market: Market, model: str, spoil: Spoil) -> FloatArray:
    """Sums of every day, had one member been spoilt on it."""
    rows = market.rows
    members = {**rows.members, model: spoil(rows.members[model], market.day, np.random.default_rng(1))}
    return member_sums(rows.y, members, market.prior, market.day, len(market.sums))


class Fold(NamedTuple):
    """A fold of the real walk as a watcher sees it.

    Attributes:
        rows: its rows.
        prior: (3,) class shares of the rows before it.
        limits: from these rows.
        known_at: (n,) when the label of each row is known, ms.
        days: that are watched.
    """

    rows: MemberPredictions
    prior: FloatArray
    limits: Mapping[str, WatchedMember]
    known_at: IntArray
    days: MaturedDays


def folds_of(market: Market, settings: DriftSettings) -> list[Fold]:
    """Every fold but the first, which has none before it."""
    found = []
    for number in range(1, int(market.rows.fold.max()) + 1):
        rows = market.rows.select(market.rows.fold == number)
        start = int(rows.time[0])
        known_at = market.rows.span_end + market.rows.bar_ms
        before = market.rows.select((market.rows.fold < number) & (known_at <= start))
        prior = np.bincount(before.y, minlength=3) / len(before)
        matured = rows.span_end + rows.bar_ms
        days = MaturedDays.between(start, int(matured.max()))
        found.append(
            Fold(rows, prior, fit_members(before.y, before.members, prior, before.time, settings), matured, days)
        )
    return found


def benched(fold: Fold, members: Mapping[str, FloatArray], settings: DriftSettings) -> Bench:
    """Who is benched when in a fold."""
    own = {model: members[model] for model in fold.limits}
    sums = daily_sums(fold.rows.y, own, fold.prior, fold.known_at, fold.days)
    looks = MemberLooks.of(sums, settings.window_days, fold.limits)
    return Bench(drifted_spans(looks, fold.days, settings.window_days))


def ensemble_losses(fold: Fold, members: Mapping[str, FloatArray], bench: Bench) -> FloatArray:
    """(n,) log-loss of the ensemble's mean; NaN where all are benched."""
    masked = bench.mask(members, fold.rows.time + fold.rows.bar_ms)
    return row_log_loss(fold.rows.y, mean_scores(masked, VoteSettings()))


def real_walk(market: Market, settings: DriftSettings) -> list[str]:
    lines = [
        "Each fold is watched with limits from the rows of the folds before it. Log-loss in nats of the mean of the "
        "members by the documented weights, with 95 % block-bootstrap intervals over days of the paired difference.",
        "",
        "| bench | benchings | days on the bench, of a member | log-loss without | log-loss with | difference |",
        "|---|---|---|---|---|---|",
    ]
    folds = folds_of(market, settings)
    variants = (
        (f"chance {settings.chance:g} (as it is)", folds),
        ("limits of skill behind at 0.0025 beyond the known", [loosened(fold, 0.0025) for fold in folds]),
        ("limits of skill behind at the known", [loosened(fold, 0.0) for fold in folds]),
    )
    for name, chosen in variants:
        without, with_bench, times, count, days = [], [], [], 0, 0.0
        for fold in chosen:
            bench = benched(fold, fold.rows.members, settings)
            count += len(bench.spans)
            end = (fold.days.first + fold.days.count) * DAY_MS
            days += sum((end if span.end is None else span.end) - span.start for span in bench.spans) / DAY_MS
            without.append(ensemble_losses(fold, fold.rows.members, Bench()))
            with_bench.append(ensemble_losses(fold, fold.rows.members, bench))
            times.append(fold.rows.time)
        lines.append(f"| {name} | {count} | {days / len(market.models):.1f} | {paired(without, with_bench, times)} |")
        print(lines[-1], flush=True)
    return lines


def loosened(fold: Fold, beyond: float) -> Fold:
    """The fold with nearer limits of how far a member may be behind."""
    return fold._replace(
        limits={model: replace(own, behind_limit=own.behind + beyond) for model, own in fold.limits.items()}
    )


def worth(market: Market, settings: DriftSettings) -> list[str]:
    lines = [
        f"One member of each fold breaks on day {FOLD_FAULT} of it for good, each member in turn. The ensemble's "
        "log-loss from that day on; all four turns together.",
        "",
        "| fault | benched | log-loss without a fault | log-loss without a bench | log-loss with | difference |",
        "|---|---|---|---|---|---|",
    ]
    folds = folds_of(market, settings)
    for fault, spoil in FAULTS.items():
        sound, without, with_bench, times, seen, turns = [], [], [], [], 0, 0
        for fold in folds:
            late = fold.rows.time >= int(fold.rows.time[0]) + FOLD_FAULT * DAY_MS
            day, _ = known_days(fold.rows.time)
            for model in market.models:
                table = fold.rows.members[model]
                spoilt = np.where(late[:, None], spoil(table, day, np.random.default_rng(2)), table)
                members = {**fold.rows.members, model: spoilt}
                bench = benched(fold, members, settings)
                seen += any(span.model == model for span in bench.spans)
                turns += 1
                sound.append(ensemble_losses(fold, fold.rows.members, Bench())[late])
                without.append(ensemble_losses(fold, members, Bench())[late])
                with_bench.append(ensemble_losses(fold, members, bench)[late])
                times.append(fold.rows.time[late])
        figure = np.mean(np.concatenate(sound))
        lines.append(f"| {fault} | {seen} of {turns} | {figure:.5f} | {paired(without, with_bench, times)} |")
        print(lines[-1], flush=True)
    return lines


def paired(without: Sequence[FloatArray], with_bench: Sequence[FloatArray], times: Sequence[IntArray]) -> str:
    """Both losses, and their difference with its interval, on the rows on which somebody votes either way."""
    before, after, time = np.concatenate(without), np.concatenate(with_bench), np.concatenate(times)
    both = np.isfinite(before) & np.isfinite(after)
    difference = (after - before)[both]
    blocks = TimeBlocks(time[both], EvaluationSettings())
    low, high = blocks.interval(blocks.means(difference)) or (np.nan, np.nan)
    return (
        f"{before[both].mean():.5f} | {after[both].mean():.5f} | {difference.mean():+.6f} ({low:+.6f} to {high:+.6f})"
    )


def by_age(market: Market) -> list[str]:
    lines = [
        "Skill over the prior of the rows before the fold, by the age of the training in the folds, whether a shelf "
        "life is worth a default.",
        "",
        "| days since the training | " + " | ".join(market.models) + " |",
        "|---" * (1 + len(market.models)) + "|",
    ]
    folds = folds_of(market, DriftSettings())
    for first, last in ((0, 14), (14, 28), (28, 42), (42, 58)):
        cells = []
        for model in market.models:
            own, prior, times = [], [], []
            for fold in folds:
                age = (fold.rows.time - int(fold.rows.time[0])) // DAY_MS
                rows = (age >= first) & (age < last)
                shares = np.tile(fold.prior, (int(rows.sum()), 1))
                own.append(row_log_loss(fold.rows.y[rows], fold.rows.members[model][rows]))
                prior.append(row_log_loss(fold.rows.y[rows], shares))
                times.append(fold.rows.time[rows])
            losses, bases = np.concatenate(own), np.concatenate(prior)
            blocks = TimeBlocks(np.concatenate(times), EvaluationSettings())
            low, high = blocks.interval(1 - blocks.ratios(losses, bases)) or (np.nan, np.nan)
            cells.append(f"{1 - losses.sum() / bases.sum():.2%} ({low:.2%} to {high:.2%})")
        lines.append(f"| {first} to {last} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return lines


def percentiles(values: FloatArray) -> tuple[float, float]:
    """95 % interval of the mean by a bootstrap over the years."""
    drawn = np.random.default_rng(0).choice(values, (2_000, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def median(days: Sequence[int]) -> str:
    return f"{np.median(days):.0f} days" if days else "-"


def half(days: Sequence[int]) -> str:
    if not days:
        return "-"
    low, high = np.quantile(days, [0.25, 0.75])
    return f"{low:.0f} to {high:.0f} days"


if __name__ == "__main__":
    main()
