"""The book: the frozen recipe beside the research, choices made before 2025, and one look at what came after.

    QUORATE_DATA=DATA python benchmarks/book.py [--forecasts FILE]

Reads DATA/binance. Members are refitted each month from 2021-07 on; with --forecasts they are kept in FILE and read
from it the next time. Every variant is a trial in results/book_trials.jsonl. Writes results/book.md, book.json and the
page results/book.html. About six minutes on two cores, most of them for the refits.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.covariance import ledoit_wolf

from quorate.book.panel import DailyPanel, PositionOutcomes
from quorate.book.portfolio import SleeveWeights, WeightReturns, book_returns
from quorate.book.portfolio.targets import BookTargets
from quorate.book.portfolio.volatility_target import volatility_scale
from quorate.book.portfolio.weights import Forecasts
from quorate.book.sleeves.registry import build_sleeves
from quorate.core.clock import parse_ms
from quorate.core.settings import BookSettings, Settings
from quorate.evaluation.book.options import JudgementOptions
from quorate.evaluation.book.performance import JudgedDays, performance
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.workflows.book.backtest import trade_targets
from quorate.workflows.book.evaluate import evaluate_book
from quorate.workflows.book.markets import read_markets
from quorate.workflows.book.traded_span import TradedSpan
from quorate.workflows.book.trials import record_book
from quorate.workflows.runs.trials import RunRecord, TrialRecorder

RESULTS = Path(__file__).parent / "results"
OPTIONS = JudgementOptions()

# Noise of the forecasts, of their spread, and how often it is drawn.
_NOISE, _NOISY_RUNS = 0.01, 5

# Markets of the most volume, whose backtest is timed.
_TIMED_MARKETS = 60

# Days of the covariance of the sleeves' returns.
_COVARIANCE_DAYS = 120
START, CHOSEN, END = "2021-07-01", "2025-01-01", "2025-10-15"

# The recipe as the research froze it; what is not named is unchanged.
FROZEN: dict[str, Any] = {
    "band": 0.6,
    "step": 1.0,
    "target_volatility": 0.1,
    "scale_half_life": 30.0,
    "dip_share": 0.3,
    "earlier_trials": 810,
}
# Net Sharpe ratio and turnover a day over exposure of the research's own arithmetic on the same candles, without a
# band: before 2025, and in 2025. The second pair is without two artefacts of rounding in its features: the leader's
# residual return against itself, which is 0, and running sums of signed volume that break ties.
RESEARCH = {
    "cross_section": ((1.112, 0.229), (1.243, 0.201), (1.074, 0.229), (1.077, 0.202)),
    "trend": ((0.541, 0.152), (-1.022, 0.178), (0.541, 0.152), (-1.022, 0.178)),
    "carry": ((0.377, 0.121), (1.558, 0.147), (0.377, 0.121), (1.558, 0.147)),
    "dip": ((1.037, 1.770), (0.596, 1.810), (1.037, 1.770), (0.596, 1.810)),
    "all": ((1.560, 0.206), (1.204, 0.197), (1.534, 0.207), (1.107, 0.198)),
}
# Portfolios tried with the same forecasts, on days before 2025 only.
VARIANTS: dict[str, dict[str, Any]] = {
    "frozen, band 0.6": {},
    "no band": {"band": 0.0},
    "no band, step 0.3": {"band": 0.0, "step": 0.3},
    "no band, step 0.2": {"band": 0.0, "step": 0.2},
    "no band, step 0.15": {"band": 0.0, "step": 0.15},
    "band 0.3": {"band": 0.3},
    "band 0.3, step 0.5": {"band": 0.3, "step": 0.5},
    "band 0.6, step 0.5": {"band": 0.6, "step": 0.5},
    "no band, mean of 10 days": {"band": 0.0, "smooth_days": 10},
    "band 0.3, mean of 10 days": {"band": 0.3, "smooth_days": 10},
    "no band, quorum 2": {"band": 0.0, "quorum": 2},
    "no band, quorum 4": {"band": 0.0, "quorum": 4},
    "no band, half-life 60": {"band": 0.0, "scale_half_life": 60.0},
    "band 0.3, step 0.5, half-life 60": {"band": 0.3, "step": 0.5, "scale_half_life": 60.0},
    "band 0.4, step 0.5, half-life 60": {"band": 0.4, "step": 0.5, "scale_half_life": 60.0},
    "band 0.25, step 0.4, half-life 60": {"band": 0.25, "step": 0.4, "scale_half_life": 60.0},
    "band 0.3, step 0.5, half-life 90": {"band": 0.3, "step": 0.5, "scale_half_life": 90.0},
    "and carry of 30 markets": {"band": 0.3, "step": 0.5, "scale_half_life": 60.0, "carry_markets": 30},
    "and a dip of half": {"band": 0.3, "step": 0.5, "scale_half_life": 60.0, "dip_share": 0.5},
    "chosen: 8 % volatility a sleeve": {
        "band": 0.3,
        "step": 0.5,
        "scale_half_life": 60.0,
        "target_volatility": 0.08,
        "dip_share": 0.24,
    },
}


@dataclass(frozen=True, slots=True)
class Study:
    """Candles and forecasts that all variants share."""

    forecasts: Forecasts
    panel: DailyPanel
    outcomes: PositionOutcomes
    settings: Settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forecasts", type=Path, help="file that keeps the forecasts of the members")
    folder = os.environ.get("QUORATE_DATA")
    if not folder:
        print("QUORATE_DATA is not set: it names the folder with binance/", file=sys.stderr)
        return 1
    found = study(Path(folder) / "binance", parser.parse_args().forecasts)
    document = json.dumps(found, indent=1, allow_nan=False).replace(f"{RESULTS}/", "").replace(folder, "DATA")
    RESULTS.joinpath("book.json").write_text(document + "\n", encoding="utf-8")
    text = as_markdown(found)
    RESULTS.joinpath("book.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def study(data: Path, kept: Path | None) -> dict[str, Any]:
    """All figures; writes the page and the trial log."""
    settings = Settings()
    account = replace(settings.account, equity_usd=100_000.0)
    # The variants are counted by the trial log.
    earlier = replace(settings.book, earlier_trials=FROZEN["earlier_trials"])
    settings = replace(settings, account=account, book=earlier)
    forecasts = None
    if kept is not None and kept.exists():
        with np.load(kept) as stored:
            forecasts = {"cross_section": {name: stored[name] for name in stored.files}}
    span: dict[str, Any] = {"start": START, "end": END}
    began = time.perf_counter()
    fitted = evaluate_book(data, forecasts=forecasts, settings=settings, record=RunRecord(log=False), **span)
    took = time.perf_counter() - began
    if kept is not None and forecasts is None:
        np.savez(kept, **fitted.forecasts["cross_section"])
    markets = read_markets(FreqtradeFolder(data), end=parse_ms(END), settings=settings.universe)
    panel = markets.panel(settings.book)
    outcomes = markets.outcomes(panel)
    shared = Study(fitted.forecasts, panel, outcomes, settings)
    frozen = replace(settings.book, **FROZEN)
    record = RunRecord("python benchmarks/book.py", data="binance", path=RESULTS / "book_trials.jsonl")
    variants = {}
    for name, changes in VARIANTS.items():
        book = replace(frozen, **changes)
        net = returns(shared, book)
        variants[name] = figures(net, shared, START, CHOSEN)
        recorder = TrialRecorder.open(record, settings, verb="study", data="binance")
        days = (panel.time[:-1] >= parse_ms(START)) & (panel.time[:-1] < parse_ms(CHOSEN))
        choices = {"variant": name, "from": START, "to": CHOSEN}
        record_book(recorder, net.net[days], book, settings, markets, choices, variants[name])
    constructions = {}
    for name, weights in {
        "scaled once more as a whole": by_whole(shared),
        "sleeves by a Ledoit-Wolf covariance": by_covariance(shared),
    }.items():
        net = book_returns(weights, panel, outcomes, settings.book, settings.costs)
        constructions[name] = figures(net, shared, START, CHOSEN)
        recorder = TrialRecorder.open(record, settings, verb="study", data="binance")
        choices = {"construction": name, "from": START, "to": CHOSEN}
        record_book(recorder, net.net[days], settings.book, settings, markets, choices, constructions[name])
    stability = {
        "frozen, band 0.6": stable(shared, frozen),
        "no band": stable(shared, replace(frozen, band=0.0)),
        "chosen": stable(shared, settings.book),
    }
    began = time.perf_counter()
    whole = evaluate_book(data, forecasts=shared.forecasts, settings=settings, record=record, **span)
    judged = time.perf_counter() - began
    whole.report(RESULTS / "book.html")
    largest = [panel.symbols[column] for column in np.argsort(-np.nansum(panel.dollar_volume, axis=0))[:_TIMED_MARKETS]]
    return {
        "sixty": timed(data, largest, settings),
        "seconds": took,
        "seconds_without_refits": judged,
        "refits": forecasts is None,
        "markets": len(panel.symbols),
        "research": reproduction(shared, frozen),
        "variants": variants,
        "constructions": constructions,
        "stability": stability,
        "chosen": {
            "before 2025": figures(returns(shared, settings.book), shared, START, CHOSEN),
            "2025": figures(returns(shared, settings.book), shared, CHOSEN, END),
            "frozen in 2025": figures(returns(shared, frozen), shared, CHOSEN, END),
        },
        "evaluation": whole.to_json(),
    }


def timed(data: Path, symbols: list[str], settings: Settings) -> dict[str, float]:
    """Seconds of an evaluation with monthly refits, of one without, and of the backtest that its judgement follows."""
    chosen: dict[str, Any] = {"symbols": symbols, "start": START, "end": END, "settings": settings}
    began = time.perf_counter()
    fitted = evaluate_book(data, record=RunRecord(log=False), **chosen)
    refitted = time.perf_counter()
    evaluate_book(data, forecasts=fitted.forecasts, record=RunRecord(log=False), **chosen)
    judged = time.perf_counter()
    source, start, end = FreqtradeFolder(data), parse_ms(START), parse_ms(END)
    markets = read_markets(source, symbols, end=end, settings=settings.universe)
    panel = markets.panel(settings.book)
    weights = SleeveWeights.of(build_sleeves(settings.book), panel, fitted.forecasts, settings.book)
    targets = BookTargets(panel, weights, settings.book)
    trade_targets(TradedSpan.of(source, markets, panel, targets, start, end), settings)
    traded = time.perf_counter()
    return {"refits": refitted - began, "judged": judged - refitted, "backtest": traded - judged}


def reproduction(shared: Study, frozen: BookSettings) -> dict[str, Any]:
    """Sharpe ratio and turnover of each sleeve and of all, without a band, beside the research's."""
    out = {}
    free = replace(frozen, band=0.0)
    for name, research in RESEARCH.items():
        found = returns(shared, free, () if name == "all" else (name,))
        spans = [figures(found, shared, *span) for span in ((START, CHOSEN), (CHOSEN, END))]
        out[name] = {"found": [[each["sharpe"], each["turnover_a_day"]] for each in spans], "research": research}
    return out


def by_whole(shared: Study) -> SleeveWeights:
    """The daily sleeves scaled once more, together, to 14 % by what they earned."""
    chosen = replace(shared.settings.book, target_volatility=0.14)
    weights = SleeveWeights.of(build_sleeves(chosen), shared.panel, shared.forecasts, shared.settings.book)
    total = weights.daily_total(shared.panel)
    scale = volatility_scale(total, shared.panel.close, chosen)
    return SleeveWeights({"daily": total * scale[:, None]}, weights.by_bar, {"daily": scale})


def by_covariance(shared: Study) -> SleeveWeights:
    """The daily sleeves in the proportions of greatest diversification, by a shrunk covariance of 120 days."""
    book, close = shared.settings.book, shared.panel.close
    weights = SleeveWeights.of(build_sleeves(book), shared.panel, shared.forecasts, book)
    moved = np.nan_to_num(close[1:] / close[:-1] - 1)
    earned = np.zeros((len(close), len(weights.daily)))
    for column, own in enumerate(weights.daily.values()):
        earned[1:, column] = (own[:-1] * moved).sum(axis=1)
    shares = np.ones_like(earned)
    for day in range(_COVARIANCE_DAYS, len(close)):
        known = earned[day - _COVARIANCE_DAYS + 1 : day + 1]
        if not (known.std(axis=0) > 0).all():
            continue
        covariance, _ = ledoit_wolf(known)
        wanted = np.maximum(np.linalg.solve(covariance, np.sqrt(np.diag(covariance))), 0.0)
        if wanted.sum() > 0:
            shares[day] = wanted / wanted.mean()
    daily = {name: own * shares[:, [column]] for column, (name, own) in enumerate(weights.daily.items())}
    return SleeveWeights(daily, weights.by_bar, weights.scale)


def stable(shared: Study, book: BookSettings) -> list[float]:
    """Net Sharpe ratios before 2025 where every forecast is moved by noise of a hundredth of their spread."""
    found = []
    for seed in range(_NOISY_RUNS):
        rng = np.random.default_rng(seed)
        noisy = {
            sleeve: {
                name: values + rng.normal(0, _NOISE * np.nanstd(values), values.shape) for name, values in own.items()
            }
            for sleeve, own in shared.forecasts.items()
        }
        found.append(figures(returns(replace(shared, forecasts=noisy), book), shared, START, CHOSEN)["sharpe"])
    return found


def returns(shared: Study, book: BookSettings, only: tuple[str, ...] = ()) -> WeightReturns:
    """Daily returns of a variant."""
    weights = SleeveWeights.of(build_sleeves(book), shared.panel, shared.forecasts, book)
    chosen = weights.only(*only) if only else weights
    return book_returns(chosen, shared.panel, shared.outcomes, book, shared.settings.costs)


def figures(found: WeightReturns, shared: Study, start: str, end: str) -> dict[str, Any]:
    """Figures of a span, from the first day with a position on."""
    time = shared.panel.time[:-1]
    span = JudgedDays(time, (time >= parse_ms(start)) & (time < parse_ms(end)))
    return performance(found, span.since_held(found), time, OPTIONS)


def as_markdown(found: Mapping[str, Any]) -> str:
    """The page of results."""
    whole, account = found["evaluation"]["whole"], found["evaluation"]["account"]["stats"]
    deflation, power = found["evaluation"]["deflation"], found["evaluation"]["power"]
    lines = [
        "# The book",
        "",
        f"{found['markets']} perpetuals of `binance`, 4h candles and funding; members refitted each month from 2021-07 "
        "on; 0.05 % fee and 0.02 % slippage a side, funding paid. `QUORATE_DATA=DATA python benchmarks/book.py`"
        + (f", {found['seconds']:.0f} s with the refits" if found["refits"] else "")
        + f", {found['seconds_without_refits']:.0f} s without. The {_TIMED_MARKETS} markets of the most volume: "
        "{refits:.0f} s with refits, {judged:.0f} s without; {backtest:.1f} s of them the backtest, the rest its "
        "judgement.".format(**found["sixty"]),
        "",
        f"**{found['evaluation']['verdict']['sentence']}**",
        "",
        "## As set by default, 2021-07 to 2025-10",
        "",
        "| | net Sharpe | drawdown | volatility | turnover a day |",
        "|---|---|---|---|---|",
        _row("weights", whole, "sharpe", "max_drawdown", "volatility", "turnover_a_day"),
        f"| simulated account of 100,000 USD | {_interval(account, 'sharpe')} | {account['max_drawdown']:.1%} | | "
        f"{account['turnover_a_day'] / account['mean_gross']:.3f} |",
    ]
    for name, held in found["evaluation"]["beside"].items():
        lines.append(_row(f"holding: {name}", held, "sharpe", "max_drawdown", "volatility", "turnover_a_day"))
    lines += [
        "",
        f"Deflated for {deflation['trials']} configurations: {deflation['probability']:.2f} "
        f"(undeflated {deflation['undeflated_probability']:.2f}). {power['years']:.1f} years, t = {power['t']:.2f}.",
        "",
        "## The frozen recipe beside the research",
        "",
        "Without a band; net Sharpe ratio and turnover a day over exposure. The last columns are the research's "
        "arithmetic without two artefacts of rounding in its features, which Quorate does not have: the residual "
        "return of Bitcoin against itself, whose noise of 1e-17 was ranked, and running sums that broke ties.",
        "",
        "| sleeve | found, to 2025 | research | without artefacts | found, 2025 | research | without artefacts |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, each in found["research"].items():
        (before, after), research = each["found"], each["research"]
        cells = [before, research[0], research[2], after, research[1], research[3]]
        lines.append(f"| {name} | " + " | ".join(f"{sharpe:.2f}, {turn:.3f}" for sharpe, turn in cells) + " |")
    lines += [
        "",
        "## Portfolios tried, on days before 2025 only",
        "",
        "| variant | net Sharpe | turnover | volatility | drawdown |",
        "|---|---|---|---|---|",
    ]
    for name, each in found["variants"].items():
        lines.append(_variant(name, each))
    lines += [_variant(f"chosen, {name}", each) for name, each in found["constructions"].items()]
    lines += [
        "",
        "The chosen one is not the best: it needs a third less turnover than the recipe without a band. With noise of "
        "a hundredth of their spread in the forecasts, five draws gave net Sharpe ratios of "
        + "; ".join(f"{min(each):.2f} to {max(each):.2f} ({name})" for name, each in found["stability"].items())
        + ".",
        "",
        "| looked at once | net Sharpe | turnover | volatility | drawdown |",
        "|---|---|---|---|---|",
        *(_variant(name, each) for name, each in found["chosen"].items()),
        "",
    ]
    return "\n".join(lines)


def _variant(name: str, each: Mapping[str, Any]) -> str:
    risk = f"{each['volatility']:.1%} | {each['max_drawdown']:.1%}"
    return f"| {name} | {each['sharpe']:.2f} | {each['turnover_a_day']:.3f} | {risk} |"


def _row(name: str, each: Mapping[str, Any], sharpe: str, drawdown: str, volatility: str, turnover: str) -> str:
    turn = each.get(turnover)
    return f"| {name} | {_interval(each, sharpe)} | {each[drawdown]:.1%} | {each[volatility]:.1%} | " + (
        f"{turn:.3f} |" if turn is not None else "|"
    )


def _interval(each: Mapping[str, Any], name: str) -> str:
    low, high = each[f"{name}_ci"]
    return f"{each[name]:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    raise SystemExit(main())
