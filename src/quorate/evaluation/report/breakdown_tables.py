"""A result taken apart: by policy, gate, decision, month, symbol and column, and by how much of it may be luck."""

from __future__ import annotations

from typing import Any

from quorate.evaluation.report.formatting import Cell, Figure, Kind, Table, cell, text_of

_COLUMNS_SHOWN = 20

_SYMBOLS: tuple[tuple[str, str, Kind], ...] = (
    ("rows", "rows", "count"),
    ("log_loss", "log-loss", "loss"),
    ("accuracy", "accuracy", "share"),
    ("signals", "signals", "count"),
    ("trades", "trades", "count"),
    ("wins", "wins", "count"),
    ("net_usd", "net result", "usd"),
)

_MONEY: tuple[tuple[str, str, Kind], ...] = (
    ("n", "trades", "count"),
    ("win_rate", "win rate", "share"),
    ("expectancy_bps", "expectancy", "bps"),
    ("total_return", "return", "percent"),
    ("max_drawdown", "drawdown", "share"),
)


def luck_table(figures: Figure) -> Table:
    """The deflated Sharpe ratio and the probability of overfitting; empty where nothing was traded."""
    if "deflation" not in figures:
        return Table("Luck and choosing", (), ())
    deflation, overfitting = figures["deflation"], figures["overfitting"]
    rows = (
        (Cell("configurations tried"), cell(deflation, "trials", "count")),
        (Cell("Sharpe ratio, a day"), cell(deflation, "sharpe_a_day", "small")),
        (Cell("best of so many by luck"), cell(deflation, "expected_best", "small")),
        (Cell("deflated Sharpe ratio"), cell(deflation, "deflated_sharpe", "odds")),
        (Cell("without the other trials"), cell(deflation, "probabilistic_sharpe", "odds")),
        (Cell("overfitting by choosing"), cell(overfitting, "probability", "odds")),
    )
    return Table("Luck and choosing", ("figure", "value"), rows)


def policy_table(figures: Figure) -> Table:
    """Each policy on the same bars, by an account of its own; the one in force comes first."""
    rows = tuple(
        (
            Cell(f"{name}, in force" if policy["in_force"] else name),
            Cell(text_of(policy["policy"]["quorum"], "odds")),
            cell(policy, "coverage", "share"),
            *(_bare(policy["trades"], column, kind) for column, _, kind in _MONEY),
        )
        for name, policy in figures.get("policies", {}).items()
    )
    return Table(
        "Policies on the same bars", ("policy", "quorum", "coverage", *(label for _, label, _ in _MONEY)), rows
    )


def signal_table(figures: Figure) -> Table:
    """Each policy's signals one by one, without an account, and under it what its gates removed."""
    rows: list[tuple[Cell, ...]] = []
    for policy in figures.get("signals_by_policy", ()):
        name = f"{policy['policy']}, in force" if policy["in_force"] else policy["policy"]
        worth = (cell(policy, "n", "count"), cell(policy, "win_rate", "share"), cell(policy, "net_bps", "bps"))
        rows.append((Cell(name, reason=policy["silent"] or ""), cell(policy, "coverage", "share"), *worth))
        for gate in policy["gates"]:
            label = Cell(f"- removed by {gate['rule'].replace('_', ' ')}", reason=gate["about"])
            worth = (cell(gate, "n", "count"), cell(gate, "win_rate", "share"), cell(gate, "net_bps", "bps"))
            rows.append((label, Cell(""), *worth))
    columns = ("policy", "coverage", "signals", "win rate", "net of costs")
    return Table("Signals by policy, and what its gates removed", columns, tuple(rows))


def probability_table(figures: Figure) -> Table:
    """Scores and the probabilities made of them, on the same rows; empty where nothing was calibrated."""
    told = figures.get("probabilities")
    if told is None:
        return Table("Scores and probabilities", (), ())
    models = {**({} if told["ensemble"] is None else {"ensemble": told["ensemble"]}), **told["members"]}
    rows = tuple(
        (
            Cell(f"{name}, {'as scored' if kind == 'score' else 'calibrated'}"),
            cell(model[kind], "log_loss", "loss"),
            cell(model[kind], "brier", "loss"),
            cell(model[kind], "ece", "loss"),
            cell(model[kind], "skill_vs_prior", "percent"),
        )
        for name, model in models.items()
        for kind in ("score", "probability")
    )
    columns = ("model", "log-loss", "Brier", "calibration error", "skill against the prior")
    return Table("Scores and probabilities", columns, rows)


def gate_table(figures: Figure) -> Table:
    """What the vote let through and what each gate removed, all measured alike; empty without candles."""
    rows = tuple(
        (
            Cell(row["rule"].replace("_", " "), reason=row["about"]),
            cell(row, "n", "count"),
            Cell("n/a" if row["share"] is None else text_of(row["share"], "share")),
            cell(row, "win_rate", "share"),
            cell(row, "net_bps", "bps"),
        )
        for row in figures.get("gates", ())
        if row["n"] or row["rule"] == "vote"
    )
    columns = ("signals that were", "signals", "share", "would have won", "would have earned")
    return Table("What the gates removed", columns, rows)


def month_table(figures: Figure) -> Table:
    """The account month by month; empty without a backtest."""
    rows = tuple(
        (
            Cell(month["month"]),
            cell(month, "total_return", "percent"),
            cell(month, "buy_and_hold", "percent"),
            cell(month, "max_drawdown", "share"),
            cell(month, "n", "count"),
            cell(month, "win_rate", "share"),
        )
        for month in figures.get("money_by_month", ())
    )
    return Table("Months", ("month", "return", "buy and hold", "drawdown", "trades closed", "win rate"), rows)


def importance_table(figures: Figure) -> Table:
    """What each column was worth to each model, in thousandths of a nat; empty where it was not measured."""
    models: dict[str, list[dict[str, Any]]] = figures.get("importance", {}).get("models", {})
    if not models:
        return Table("Columns", (), ())
    by_model = {name: {row["column"]: row for row in columns} for name, columns in models.items()}
    first = next(iter(by_model.values()))
    ranked = sorted(first, key=lambda name: -sum(columns[name]["log_loss"] or 0.0 for columns in by_model.values()))
    rows = tuple(
        (Cell(name), *(_thousandths(columns[name]) for columns in by_model.values()))
        for name in ranked[:_COLUMNS_SHOWN]
    )
    more = f", the first {_COLUMNS_SHOWN} of {len(ranked)}" if len(ranked) > _COLUMNS_SHOWN else ""
    return Table(f"Columns, log-loss x 1,000 added by shuffling one{more}", ("column", *by_model), rows)


def decision_table(figures: Figure) -> Table:
    """How the decided bars split over consensus and action."""
    decisions = figures["decisions"]
    decided, bars = decisions["decided"], decisions["bars"]
    rows = [
        (Cell(name.replace("_", " ")), Cell(f"{count:,}"), Cell(text_of(count / decided, "share")))
        for name, count in decisions["consensus"].items()
    ]
    rows += [
        (Cell(name), Cell(f"{count:,}"), Cell(text_of(count / bars, "share")))
        for name, count in decisions["actions"].items()
        if bars
    ]
    return Table("Decisions", ("consensus, then action", "bars", "share"), tuple(rows))


def symbol_table(figures: Figure) -> Table:
    """One row per symbol, best net result first."""
    ordered = sorted(figures["per_symbol"], key=lambda row: (-row["net_usd"], row["symbol"]))
    rows = tuple((Cell(row["symbol"]), *(cell(row, name, kind) for name, _, kind in _SYMBOLS)) for row in ordered)
    return Table("Symbols", ("symbol", *(label for _, label, _ in _SYMBOLS)), rows)


def _bare(figures: Figure, name: str, kind: Kind) -> Cell:
    """A cell for a table of many columns: the intervals that matter most, and no reason for what is missing."""
    made = cell(figures, name, kind)
    return Cell(made.text, made.interval if name in ("win_rate", "expectancy_bps") else "", tone=made.tone)


def _thousandths(row: Figure) -> Cell:
    low_high = row.get("log_loss_ci")
    value = row["log_loss"]
    if value is None:
        return Cell("n/a")
    interval = "" if low_high is None else f"{1e3 * low_high[0]:+.2f} to {1e3 * low_high[1]:+.2f}"
    return Cell(f"{1e3 * value:+.2f}", interval)
