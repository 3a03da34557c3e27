"""The figures as plain tables of text, the same for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["share", "percent", "number", "loss", "usd", "bps", "count"]
Tone = Literal["", "good", "bad"]
Figure = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, its interval, why it has no value or no verdict, and whether it is good or bad news."""

    text: str
    interval: str = ""
    reason: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A title, column names and rows of cells; the first cell of a row names it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


SCORES: tuple[tuple[str, str, Kind], ...] = (
    ("skill_vs_prior", "skill over prior", "percent"),
    ("log_loss", "log-loss", "loss"),
    ("brier", "Brier", "loss"),
    ("accuracy", "accuracy", "share"),
    ("auc", "AUC", "loss"),
    ("rank_ic", "rank IC", "loss"),
    ("ece", "calibration error", "share"),
    ("n", "rows voted on", "count"),
)

MONEY: tuple[tuple[str, str, Kind], ...] = (
    ("total_return", "total return", "percent"),
    ("sharpe", "Sharpe", "number"),
    ("sortino", "Sortino", "number"),
    ("calmar", "Calmar", "number"),
    ("max_drawdown", "max drawdown", "share"),
)

TRADES: tuple[tuple[str, str, Kind], ...] = (
    ("n", "trades", "count"),
    ("win_rate", "win rate", "share"),
    ("expectancy_bps", "expectancy", "bps"),
    ("profit_factor", "profit factor", "number"),
    ("reward_risk", "reward / risk", "number"),
    ("largest_loss_usd", "largest loss", "usd"),
    ("exposure", "exposure", "share"),
    ("turnover_per_day", "turnover a day", "number"),
    ("net_usd", "net result", "usd"),
)

_SYMBOLS: tuple[tuple[str, str, Kind], ...] = (
    ("rows", "rows", "count"),
    ("log_loss", "log-loss", "loss"),
    ("accuracy", "accuracy", "share"),
    ("signals", "signals", "count"),
    ("trades", "trades", "count"),
    ("wins", "wins", "count"),
    ("net_usd", "net result", "usd"),
)

# Columns in which more than zero is good news and less is bad.
_SIGNED = frozenset({"net_usd", "total_return", "skill_vs_prior", "expectancy_bps"})


def tables(figures: Figure) -> tuple[Table, ...]:
    """Every table of a scorecard's figures, in reading order; those without content are left out."""
    made = (
        criteria_table(figures),
        score_table(figures),
        money_table(figures),
        trade_table(figures),
        cost_table(figures),
        decision_table(figures),
        symbol_table(figures),
    )
    return tuple(table for table in made if table.rows)


def criteria_table(figures: Figure) -> Table:
    """The success criteria: target, measured, kept or not."""
    verdicts: dict[bool | None, Cell] = {
        True: Cell("pass", tone="good"),
        False: Cell("FAIL", tone="bad"),
        None: Cell("n/a"),
    }
    rows = tuple(
        (
            Cell(row["name"]),
            Cell(row["target"]),
            Cell(row["shown"], _interval(row["interval"], "share"), row["note"]),
            verdicts[row["ok"]],
        )
        for row in figures["criteria"]
    )
    return Table("Success criteria", ("criterion", "target", "measured", ""), rows)


def score_table(figures: Figure) -> Table:
    """Metrics down, models across: the ensemble first, then its members, then what must be beaten."""
    models = {
        "ensemble": figures["ensemble"],
        **figures["members"],
        "class prior": figures["baselines"]["prior"],
        "always HOLD": figures["baselines"]["always_hold"],
    }
    rows = tuple((Cell(label), *(cell(model, name, kind) for model in models.values())) for name, label, kind in SCORES)
    return Table("Scores beside their baselines", ("metric", *models), rows)


def money_table(figures: Figure) -> Table:
    """Return and risk of the account beside holding the same symbols; empty when nothing was traded."""
    sides: dict[str, Figure] = {}
    if "total_return" in figures["trades"]:
        sides["account"] = figures["trades"]
    if "buy_and_hold" in figures["baselines"]:
        sides["buy and hold"] = figures["baselines"]["buy_and_hold"]
    rows = tuple((Cell(label), *(cell(side, name, kind) for side in sides.values())) for name, label, kind in MONEY)
    return Table("Return and risk", ("figure", *sides), rows if sides else ())


def trade_table(figures: Figure) -> Table:
    """What the trades brought; empty without a backtest."""
    trades = figures["trades"]
    rows = tuple((Cell(label), cell(trades, name, kind)) for name, label, kind in TRADES if name in trades)
    return Table("Trades", ("figure", "value"), rows if "costs" in trades else ())


def cost_table(figures: Figure) -> Table:
    """From the result at bare prices to the net result; empty without a backtest."""
    trades = figures["trades"]
    if "costs" not in trades:
        return Table("Costs", (), ())
    steps = (
        ("gross result", trades["gross_usd"]),
        ("fees", -trades["costs"]["fee_usd"]),
        ("slippage", -trades["costs"]["slippage_usd"]),
        ("funding", trades["costs"]["funding_usd"]),
        ("net result", trades["net_usd"]),
    )
    rows = tuple((Cell(name), Cell(_text(usd, "usd"), tone=_tone(usd))) for name, usd in steps)
    return Table("Costs", ("step", "value"), rows)


def decision_table(figures: Figure) -> Table:
    """How the decided bars split over consensus and action."""
    decisions = figures["decisions"]
    decided, bars = decisions["decided"], decisions["bars"]
    rows = [
        (Cell(name.replace("_", " ")), Cell(f"{count:,}"), Cell(_text(count / decided, "share")))
        for name, count in decisions["consensus"].items()
    ]
    rows += [
        (Cell(name), Cell(f"{count:,}"), Cell(_text(count / bars, "share")))
        for name, count in decisions["actions"].items()
        if bars
    ]
    return Table("Decisions", ("consensus, then action", "bars", "share"), tuple(rows))


def symbol_table(figures: Figure) -> Table:
    """One row per symbol, best net result first."""
    ordered = sorted(figures["per_symbol"], key=lambda row: (-row["net_usd"], row["symbol"]))
    rows = tuple((Cell(row["symbol"]), *(cell(row, name, kind) for name, _, kind in _SYMBOLS)) for row in ordered)
    return Table("Symbols", ("symbol", *(label for _, label, _ in _SYMBOLS)), rows)


def cell(figures: Figure, name: str, kind: Kind) -> Cell:
    """One figure as text, with its interval or the reason why there is none."""
    value = figures.get(name)
    if value is None:
        return Cell("n/a", reason=figures.get("missing", {}).get(name, ""))
    ends: list[float] | None = figures.get(f"{name}_ci")
    # Good or bad news only when the whole interval is.
    tone: Tone = _tone(value) if name in _SIGNED and (ends is None or ends[0] * ends[1] > 0) else ""
    return Cell(_text(value, kind), _interval(ends, kind), tone=tone)


def _interval(ends: list[float] | None, kind: Kind) -> str:
    if ends is None:
        return ""
    low, high = (_text(end, kind) for end in ends)
    unit = " %" if kind in ("share", "percent") else " bps" if kind == "bps" else ""
    return f"{low.removesuffix(unit)} to {high}"


def _tone(value: float) -> Tone:
    return "good" if value > 0 else "bad" if value < 0 else ""


def _text(value: float, kind: Kind) -> str:
    match kind:
        case "count":
            return f"{value:,.0f}"
        case "share":
            return f"{100 * value:.2f} %"
        case "percent":
            digits = 2 if abs(value) < 10 else 0
            return f"{round(100 * value, digits) + 0.0:+,.{digits}f} %"  # no -0.00
        case "usd":
            return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
        case "bps":
            return f"{value:+,.1f} bps"
        case "loss":
            return f"{value:.4f}"
        case "number":
            return f"{value:,.2f}" if abs(value) < 1e6 else f"{value:.2e}"
