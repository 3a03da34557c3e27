"""Tables of the scorecard, for the terminal and the report: criteria, scores, baselines, trades, costs, folds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from quorate.evaluation.report.breakdown_tables import (
    decision_table,
    policy_criteria_table,
    policy_table,
    probability_table,
    selection_bias_table,
    signal_table,
)
from quorate.evaluation.report.evidence_table import evidence_table
from quorate.evaluation.report.floor_table import floor_table
from quorate.evaluation.report.formatting import Cell, Figure, Kind, Table, cell, interval_text, text_of, tone_of
from quorate.evaluation.report.panel_tables import panel_tables
from quorate.evaluation.report.skill_tables import SKILL_PARTS

_SCORES: tuple[tuple[str, str, Kind], ...] = (
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

# Unit of a criterion -> kind of cell.
_UNITS: dict[str, Kind] = {"share": "share", "usd": "usd", "ratio": "number"}

#: Key of a baseline -> its name in tables, in reading order.
BASELINES = {
    "prior": "class prior",
    "always_hold": "always HOLD",
    "buy_and_hold": "buy and hold",
    "random": "random entries",
    "momentum": "momentum",
    "rules": "rules fallback",
    "logistic": "logistic",
    "log_har": "log_har",
    "best_member": "best member",
}


def tables(figures: Figure) -> tuple[Table, ...]:
    """Tables for the terminal, in reading order, without empty ones. The HTML report has more."""
    made = (
        criteria_table(figures),
        score_table(figures),
        baseline_table(figures),
        money_table(figures),
        trade_table(figures),
        cost_table(figures),
        *panel_tables(figures),
        selection_bias_table(figures),
        policy_table(figures),
        signal_table(figures),
        floor_table(figures.get("floors")),
        policy_criteria_table(figures),
        evidence_table(figures),
        probability_table(figures),
        decision_table(figures),
        fold_table(figures),
    )
    return tuple(table for table in made if table.rows)


def criteria_table(figures: Figure) -> Table:
    """Success criteria: target, measured value, pass or fail."""
    results: dict[bool | None, Cell] = {
        True: Cell("pass", tone="good"),
        False: Cell("FAIL", tone="bad"),
        None: Cell("n/a"),
    }
    rows = tuple(
        (
            Cell(row["name"]),
            Cell(row["target"]),
            Cell(row["shown"], reason=row["note"].removeprefix("n/a: ")),
            Cell(interval_text(row["interval"], _UNITS[row["unit"]])),
            results[row["ok"]],
        )
        for row in figures["criteria"]
    )
    return Table("Success criteria", ("criterion", "target", "measured", "interval", ""), rows)


def score_table(figures: Figure) -> Table:
    """Score metrics: one row a metric, one column a model: ensemble, members, naive baselines."""
    plain = {name: figures["baselines"][name] for name in ("prior", "always_hold")}
    models = {"ensemble": figures["ensemble"], **figures["members"], **_named(plain)}
    return Table("Scores and naive baselines", ("metric", *models), tuple(_score_rows(models)))


def _score_rows(models: Mapping[str, Figure]) -> list[tuple[Cell, ...]]:
    """A row a metric: the skill with its parts, the others, and the difference to log-HAR, where it was evaluated."""
    skill, *others = _SCORES
    rows = [_score_row(models.values(), *skill)]
    parts = [model.get("skill", {}) for model in models.values()]
    rows += [_score_row(parts, name, label, "percent") for name, label in SKILL_PARTS]
    rows += [_score_row(models.values(), *column) for column in others]
    apart = [part.get("vs_log_har", {}) for part in parts]
    if any(apart):
        rows.append(_score_row(apart, "log_loss", "log-loss minus log_har's", "change"))
    return rows


def _score_row(models: Iterable[Figure], name: str, label: str, kind: Kind) -> tuple[Cell, ...]:
    return (Cell(label), *(cell(model, name, kind) for model in models))


def baseline_table(figures: Figure) -> Table:
    """Score metrics of the baseline models of a walk-forward; empty for a bundle.

    The last rows are the ensemble's log-loss minus the baseline's on rows with both votes, and the p-value of the
    Diebold-Mariano test of that difference.
    """
    apart = figures.get("differences", {}) if "folds" in figures else {}
    models = _named({name: figures["baselines"][name] for name in apart})
    rows = _score_rows(models)
    rows.append(
        (Cell("ensemble's log-loss minus its"), *(cell(d, "log_loss", "change") for d in _named(apart).values()))
    )
    rows.append((Cell("Diebold-Mariano p-value"), *(cell(d, "p_value", "small") for d in _named(apart).values())))
    return Table("Scores of the baseline models", ("metric", *models), tuple(rows) if models else ())


def money_table(figures: Figure) -> Table:
    """Return and risk of the account and of the baselines; empty without a backtest."""
    sides = {"account": figures["trades"]}
    sides |= {name: baseline.get("trades", baseline) for name, baseline in _named(figures["baselines"]).items()}
    traded = {name: side for name, side in sides.items() if "total_return" in side}
    rows = tuple((Cell(name), *(_short(side, *column) for column in MONEY)) for name, side in traded.items())
    rows = rows if "account" in traded else ()
    return Table("Return and risk, with baselines", ("", *(label for _, label, _ in MONEY)), rows)


def fold_table(figures: Figure) -> Table:
    """Folds of a walk-forward: spans, and every member's skill on the test rows; empty for a bundle."""
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
    return Table("Folds and the members' skill over the prior", ("fold", *spans, *members), rows)


def trade_table(figures: Figure) -> Table:
    """Trade statistics; empty without a backtest."""
    trades = figures["trades"]
    rows = tuple((Cell(label), cell(trades, name, kind)) for name, label, kind in TRADES if name in trades)
    return Table("Trades", ("figure", "value"), rows if "costs" in trades else ())


def cost_table(figures: Figure) -> Table:
    """From gross to net result; empty without a backtest."""
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
    rows = tuple((Cell(name), Cell(text_of(usd, "usd"), tone=tone_of(usd))) for name, usd in steps)
    return Table("Costs", ("step", "value"), rows)


def baseline_name(name: str) -> str:
    """Name of a baseline in tables, from its key in the document.

    >>> baseline_name("buy_and_hold")
    'buy and hold'
    """
    return BASELINES.get(name, name)


def _named(baselines: Mapping[str, Any]) -> dict[str, Any]:
    """The same by their names in tables: known baselines in reading order, then others."""
    known = [name for name in BASELINES if name in baselines]
    others = [name for name in baselines if name not in BASELINES]
    return {baseline_name(name): baselines[name] for name in (*known, *others)}


def _short(figures: Figure, name: str, _label: str, kind: Kind) -> Cell:
    """A cell for a table of many columns: without the reason for a missing value, and with few intervals."""
    made = cell(figures, name, kind)
    return Cell(made.text, "" if name in ("n", "max_drawdown") else made.interval, tone=made.tone)
