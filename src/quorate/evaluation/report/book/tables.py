"""Tables of the judgement of a book, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorate.evaluation.report.formatting import Cell, Figure, Kind, Table, Tone, cell, interval_text, text_of, tone_of

#: Holding -> its name in tables.
HOLDINGS = {"btc": "BTC", "equal_weight": "equal weight", "inverse_volatility": "inverse volatility"}

#: Variant -> its name in tables.
VARIANTS = {
    "at_bars": "as it is, filled at bars",
    "one_bar_late": "all fills 4 hours late",
    "without_band": "without the no-trade band, at bars",
    "without_band_one_bar_late": "without the band 4 hours late",
    "by_bar_one_bar_late": "only those by bar 4 hours late",
    "one_day_late": "all fills a day late",
    "daily_one_day_late": "only the daily ones a day late",
    "costs_doubled": "costs doubled",
    "without_best_month": "without the best month",
    "without_best_markets": "without the best markets",
}

_PERFORMANCE: tuple[tuple[str, str, Kind], ...] = (
    ("sharpe", "Sharpe", "number"),
    ("yearly_return", "a year", "percent"),
    ("volatility", "volatility", "odds"),
    ("max_drawdown", "drawdown", "odds"),
    ("bp_a_day", "a day by exposure", "bps"),
    ("turnover_a_day", "turnover", "number"),
)

_NAMED_MARKETS = 8  # with the best and with the worst result


def book_tables(figures: Figure) -> tuple[Table, ...]:
    """All tables in reading order, without empty ones."""
    made = (
        performance_table(figures),
        sleeve_table(figures),
        correlation_table(figures),
        robustness_table(figures),
        year_table(figures),
        money_table(figures),
        selection_table(figures),
        placebo_table(figures),
        beta_table(figures),
        survivorship_table(figures),
        market_table(figures),
    )
    return tuple(table for table in made if table.rows)


def performance_table(figures: Figure) -> Table:
    """The book and what stands beside it on the same days."""
    rows = {"book": figures["whole"], **{HOLDINGS[name]: own for name, own in figures["beside"].items()}}
    cells = tuple(
        (Cell(shown), *(_cell(own, name, kind) for name, _, kind in _PERFORMANCE)) for shown, own in rows.items()
    )
    return Table(
        "Net of fees, slippage and funding, on the same days", ("", *(label for _, label, _ in _PERFORMANCE)), cells
    )


def sleeve_table(figures: Figure) -> Table:
    """Every sleeve alone, the book without it, and what it adds."""
    rows = tuple(
        (
            Cell(name),
            _cell(own["alone"], "sharpe", "number"),
            _cell(own["alone"], "max_drawdown", "odds"),
            _cell(own["alone"], "turnover_a_day", "number"),
            _cell(own["alone"], "gross_exposure", "number"),
            _cell(own["left_out"], "sharpe", "number"),
            _cell(own, "sharpe_added", "number", sign=True),
        )
        for name, own in figures["sleeves"].items()
    )
    columns = ("sleeve", "Sharpe alone", "drawdown", "turnover a day", "gross", "book without it", "Sharpe added")
    return Table("Sleeves", columns, rows)


def correlation_table(figures: Figure) -> Table:
    """Correlations of the daily net returns of the sleeves."""
    found = figures["correlations"]
    rows = tuple(
        (Cell(name), *(Cell("n/a" if value is None else f"{value:+.2f}") for value in own.values()))
        for name, own in found.items()
    )
    return Table("Correlations of daily net returns", ("", *found), rows if len(found) > 1 else ())


def robustness_table(figures: Figure) -> Table:
    """The book under worse conditions."""
    rows = [("as it is", figures["whole"])]
    rows += [(VARIANTS[name], own) for name, own in figures["robustness"].items()]
    if "sharpe" in figures["survivorship"]:
        lost = figures["survivorship"]
        name = f"{100 * lost['lost_share']:g} % of longs a year lose {100 * lost['lost_part']:g} %"
        rows += [(name, lost), ("only markets listed at the start", lost["listed_at_start"])]
    cells = tuple(
        (
            Cell(name, reason=_left_out(own)),
            _cell(own, "sharpe", "number"),
            _cell(own, "yearly_return", "percent"),
            _cell(own, "max_drawdown", "odds"),
            _cell(own, "bp_a_day", "bps"),
        )
        for name, own in rows
    )
    return Table("Worse conditions", ("", "Sharpe", "a year", "drawdown", "a day by exposure"), cells)


def money_table(figures: Figure) -> Table:
    """From the prices' return to the net one."""
    whole = figures["whole"]
    if whole.get("yearly_gross") is None:
        return Table("Costs", (), ())
    steps = (
        ("prices", whole["yearly_gross"], None),
        ("funding", whole["yearly_funding"], whole["funding_share"]),
        ("fees and slippage", -whole["yearly_cost"], whole["cost_share"]),
        ("net", whole["yearly_gross"] + whole["yearly_funding"] - whole["yearly_cost"], None),
    )
    rows = tuple(
        (
            Cell(name),
            Cell(text_of(value, "percent"), tone=tone_of(value)),
            Cell("" if share is None else text_of(abs(share), "odds")),
        )
        for name, value, share in steps
    )
    held = (("mean gross exposure", "gross_exposure"), ("mean net exposure", "net_exposure"))
    rows += tuple((Cell(name), Cell(text_of(whole[key], "percent")), Cell("")) for name, key in held)
    return Table("From prices to net, simple returns of a year", ("", "a year", "of the prices' return"), rows)


def year_table(figures: Figure) -> Table:
    """Calendar years."""
    rows = tuple(
        (
            Cell(row["year"]),
            Cell(text_of(row["total_return"], "percent"), tone=tone_of(row["total_return"])),
            _cell(row, "sharpe", "number"),
            _cell(row, "max_drawdown", "odds"),
            *(_cell(row, name, "percent") for name in HOLDINGS),
        )
        for row in figures["by_year"]
    )
    return Table("Years", ("", "return", "Sharpe", "drawdown", *HOLDINGS.values()), rows)


def selection_table(figures: Figure) -> Table:
    """Deflation for all trials, and power."""
    found, power = figures["deflation"], figures["power"]
    rows = (
        (Cell("configurations tried"), _cell(found, "trials", "count")),
        (Cell("Sharpe of the best of them without skill"), _cell(found, "expected_best_sharpe", "number")),
        (Cell("probability that the book's is above it"), _cell(found, "probability", "number")),
        (Cell("probability that it is above 0, one trial"), _cell(found, "undeflated_probability", "number")),
        (Cell("years judged"), _cell(power, "years", "number")),
        (Cell("years for t = 2"), _cell(power, "years_needed", "number")),
        (Cell("years for t = 2 at a Sharpe of 1"), _cell(power, "years_at_1", "number")),
        (Cell("t statistic"), _cell(power, "t", "number")),
    )
    return Table("Selection and power", ("", "value"), rows)


def placebo_table(figures: Figure) -> Table:
    """Books without a signal."""
    rows = tuple(
        (
            Cell(f"weights {name}"),
            _cell(own, "runs", "count"),
            _cell(own, "mean", "number"),
            _cell(own, "largest", "number"),
            _cell(own, "share_above", "odds"),
        )
        for name, own in figures["placebo"].items()
        if own["runs"]
    )
    return Table("Placebos", ("", "runs", "mean Sharpe", "largest", "as good as the book"), rows)


def beta_table(figures: Figure) -> Table:
    """Betas to the market."""
    rows = tuple(
        (
            Cell(HOLDINGS[name]),
            _cell(own, "beta", "number"),
            _cell(own, "t", "number"),
            _cell(own, "sharpe_of_rest", "number"),
        )
        for name, own in figures["beta"].items()
    )
    return Table("Beta to the market", ("", "beta", "t", "Sharpe of what remains"), rows)


def survivorship_table(figures: Figure) -> Table:
    """Bounds of the survivorship bias."""
    found = figures["survivorship"]
    if "sharpe" not in found:
        return Table("Survivorship", (), ())
    listed = found["listed_at_start"]
    rows = (
        (Cell("markets, and those that ended"), Cell(f"{found['markets']:,}, {found['ended']:,}")),
        (
            Cell(
                f"{100 * found['lost_share']:g} % of the markets held long end each year, "
                f"{100 * found['lost_part']:g} % lost: a year"
            ),
            Cell(text_of(-found["yearly_loss"], "percent")),
        ),
        (Cell("Sharpe after that"), _cell(found, "sharpe", "number")),
        (Cell("share of longs a year that would take all"), _cell(found, "share_that_takes_all", "odds")),
        (Cell(f"Sharpe of the {listed['markets']} markets listed at the start"), _cell(listed, "sharpe", "number")),
    )
    return Table("Survivorship", ("", "value"), rows)


def market_table(figures: Figure) -> Table:
    """Markets of the best and of the worst results."""
    rows = figures["contributions"]
    named = rows if len(rows) <= 2 * _NAMED_MARKETS else [*rows[:_NAMED_MARKETS], *rows[-_NAMED_MARKETS:]]
    cells = tuple(
        (
            Cell(row["symbol"].partition("/")[0]),
            Cell(text_of(row["net"], "percent"), tone=tone_of(row["net"])),
            Cell(text_of(row["mean_size"], "odds")),
            Cell(text_of(row["days"], "count")),
        )
        for row in named
    )
    shown = "Markets" if len(named) == len(rows) else f"The best and the worst of {len(rows)} markets"
    return Table(shown, ("", "net, sum of days", "mean weight", "days held"), cells)


def _cell(figures: Mapping[str, Any], name: str, kind: Kind, *, sign: bool = False) -> Cell:
    """A cell with its interval, coloured where the whole interval has one sign; empty for what is not measured."""
    if name not in figures:
        return Cell("")
    made, ends = cell(figures, name, kind), figures.get(f"{name}_ci")
    tone: Tone = tone_of(ends[0]) if ends is not None and ends[0] * ends[1] > 0 else ""
    if sign and figures.get(name) is not None:
        shown = "" if ends is None else f"{ends[0]:+.2f} to {ends[1]:+.2f}"
        return Cell(f"{figures[name]:+.2f}", shown, tone=tone)
    return Cell(made.text, interval_text(ends, kind), made.reason, tone)


def _left_out(own: Mapping[str, Any]) -> str:
    if own.get("month"):
        return str(own["month"])
    markets = own.get("markets")
    return ", ".join(symbol.partition("/")[0] for symbol in markets) if isinstance(markets, list) else ""
