"""The figures as plain tables of text, the same for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["share", "percent", "number", "loss", "usd", "bps", "count", "change"]
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
    ("ece", "ECE", "share"),
    ("n", "rows voted on", "count"),
)

MONEY: tuple[tuple[str, str, Kind], ...] = (
    ("n", "trades", "count"),
    ("win_rate", "win rate", "share"),
    ("expectancy_bps", "expectancy", "bps"),
    ("total_return", "return", "percent"),
    ("sharpe", "Sharpe", "number"),
    ("max_drawdown", "drawdown", "share"),
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
    ("sortino", "Sortino", "number"),
    ("calmar", "Calmar", "number"),
    ("net_usd", "net result", "usd"),
)

# How a baseline is called in a table, in reading order.
_BASELINES = {
    "prior": "class prior",
    "always_hold": "always HOLD",
    "buy_and_hold": "buy and hold",
    "random": "random entries",
    "momentum": "momentum",
    "rules": "rules fallback",
    "logistic": "logistic",
    "best_member": "best member",
}

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
        rival_table(figures),
        money_table(figures),
        trade_table(figures),
        cost_table(figures),
        decision_table(figures),
        fold_table(figures),
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
    plain = {name: figures["baselines"][name] for name in ("prior", "always_hold")}
    models = {"ensemble": figures["ensemble"], **figures["members"], **_named(plain)}
    rows = tuple((Cell(label), *(cell(model, name, kind) for model in models.values())) for name, label, kind in SCORES)
    return Table("Scores beside their baselines", ("metric", *models), rows)


def rival_table(figures: Figure) -> Table:
    """The same metrics for rivals that were trained or chosen along the way; empty for a bundle, which has none.

    Its last row is the paired difference: the ensemble's log-loss less the rival's on the rows where both voted.
    """
    apart = figures.get("differences", {}) if "folds" in figures else {}
    rivals = _named({name: figures["baselines"][name] for name in apart})
    rows = [(Cell(label), *(cell(rival, name, kind) for rival in rivals.values())) for name, label, kind in SCORES]
    rows.append(
        (Cell("ensemble's log-loss less its"), *(cell(d, "log_loss", "change") for d in _named(apart).values()))
    )
    return Table("Scores of its rivals", ("metric", *rivals), tuple(rows) if rivals else ())


def money_table(figures: Figure) -> Table:
    """The account beside what else could have been done with the money; empty when nothing was traded."""
    sides = {"account": figures["trades"]}
    sides |= {name: baseline.get("trades", baseline) for name, baseline in _named(figures["baselines"]).items()}
    traded = {name: side for name, side in sides.items() if "total_return" in side}
    rows = tuple((Cell(name), *(_short(side, *column) for column in MONEY)) for name, side in traded.items())
    rows = rows if "account" in traded else ()
    return Table("Return and risk beside the baselines", ("", *(label for _, label, _ in MONEY)), rows)


def fold_table(figures: Figure) -> Table:
    """Each fold of a walk-forward: spans, and every member's skill on bars it had not seen; empty for one bundle."""
    folds = figures.get("folds", ())
    members = tuple(folds[0]["members"]) if folds else ()
    rows = tuple(
        (
            Cell(f"{fold['fold']}"),
            *(
                Cell(text)
                for span in (fold["train"], fold["test"])
                for text in (f"{span['from'][:10]} to {span['to'][:10]}", f"{span['rows']:,}")
            ),
            *(_short(fold["members"][name], "skill_vs_prior", "", "percent") for name in members),
        )
        for fold in folds
    )
    spans = ("trained on", "rows", "tested on", "rows")
    return Table("Folds, each member's skill over the prior", ("fold", *spans, *members), rows)


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


def baseline_name(name: str) -> str:
    """What tables call a baseline of the JSON.

    >>> baseline_name("buy_and_hold")
    'buy and hold'
    """
    return _BASELINES.get(name, name)


def _named(baselines: Mapping[str, Any]) -> dict[str, Any]:
    """The same under the names that tables use: the known ones in their order, then others."""
    known = [name for name in _BASELINES if name in baselines]
    others = [name for name in baselines if name not in _BASELINES]
    return {baseline_name(name): baselines[name] for name in (*known, *others)}


def _short(figures: Figure, name: str, _label: str, kind: Kind) -> Cell:
    """A cell for a table of many columns: no reason for what is missing, and only the intervals that matter most."""
    made = cell(figures, name, kind)
    return Cell(made.text, "" if name in ("n", "max_drawdown") else made.interval, tone=made.tone)


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
        case "change":
            return f"{value:+.5f}"
        case "number":
            return f"{value:,.2f}" if abs(value) < 1e6 else f"{value:.2e}"
