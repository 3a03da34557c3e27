"""Breakdown tables: selection bias, policies, signals, probabilities, gates, months, features, decisions, symbols."""

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


def selection_bias_table(figures: Figure) -> Table:
    """Deflated Sharpe ratio and probability of backtest overfitting; empty without a backtest."""
    if "deflation" not in figures:
        return Table("Selection bias", (), ())
    deflation = figures["deflation"]
    rows = [
        (Cell("configurations tried"), cell(deflation, "trials", "count")),
        (Cell("Sharpe ratio, daily"), cell(deflation, "sharpe_a_day", "small")),
        (Cell("best expected by chance"), cell(deflation, "expected_best", "small")),
        (Cell("deflated Sharpe ratio"), cell(deflation, "deflated_sharpe", "odds")),
        (Cell("probabilistic Sharpe ratio"), cell(deflation, "probabilistic_sharpe", "odds")),
    ]
    if "overfitting" in figures:  # not of a stack, which has no alternatives on the same bars
        rows.append((Cell("probability of overfitting"), cell(figures["overfitting"], "probability", "odds")))
    return Table("Selection bias", ("figure", "value"), tuple(rows))


def policy_table(figures: Figure) -> Table:
    """Policies on the same bars, each with its own account; the one in force first."""
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


def policy_criteria_table(figures: Figure) -> Table:
    """The success criteria of each policy on the same bars; empty for one policy alone."""
    policies = figures.get("policies", {})
    if len(policies) < 2:
        return Table("Success criteria by policy", (), ())
    rows = tuple(
        (Cell(found[0]["name"]), Cell(found[0]["target"]), *map(_judged, found))
        for found in zip(*(policy["criteria"] for policy in policies.values()), strict=True)
        if any(row["measured"] is not None for row in found)
    )
    return Table("Success criteria by policy", ("criterion", "target", *policies), rows)


def _judged(row: Figure) -> Cell:
    """What was measured for one criterion, with its result."""
    if row["ok"] is None:
        return Cell(row["shown"], reason=row["note"].removeprefix("n/a: "))
    return Cell(f"{row['shown']}, {'pass' if row['ok'] else 'FAIL'}", tone="good" if row["ok"] else "bad")


def signal_table(figures: Figure) -> Table:
    """Signals of each policy measured without an account, and below them those its gates removed."""
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
    return Table("Signals by policy, and signals removed by its gates", columns, tuple(rows))


def probability_table(figures: Figure) -> Table:
    """Raw scores and calibrated probabilities on the same rows; empty without calibration."""
    calibration = figures.get("probabilities")
    if calibration is None:
        return Table("Raw scores and calibrated probabilities", (), ())
    ensemble = {} if calibration["ensemble"] is None else {"ensemble": calibration["ensemble"]}
    models = {**ensemble, **calibration["members"]}
    rows = tuple(
        (
            Cell(f"{name}, {'raw' if kind == 'score' else 'calibrated'}"),
            cell(model, "rows", "count"),
            cell(model[kind], "log_loss", "loss"),
            cell(model[kind], "brier", "loss"),
            cell(model[kind], "ece", "loss"),
            cell(model[kind], "skill_vs_prior", "percent"),
        )
        for name, model in models.items()
        for kind in ("score", "probability")
    )
    columns = ("model", "rows", "log-loss", "Brier", "calibration error", "skill over prior")
    return Table("Raw scores and calibrated probabilities", columns, rows)


def gate_table(figures: Figure) -> Table:
    """Signals kept by the vote and removed by each gate, measured alike; empty without candles."""
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
    columns = ("gate", "signals", "share", "win rate", "net of costs")
    return Table("Signals kept, and removed by the gates", columns, rows)


def month_table(figures: Figure) -> Table:
    """The account by month; empty without a backtest."""
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
    """Permutation importance of each feature by model, in thousandths of a nat; empty if it was not measured."""
    models: dict[str, list[dict[str, Any]]] = figures.get("importance", {}).get("models", {})
    if not models:
        return Table("Permutation importance", (), ())
    by_model = {name: {row["column"]: row for row in columns} for name, columns in models.items()}
    first = next(iter(by_model.values()))
    ranked = sorted(first, key=lambda name: -sum(columns[name]["log_loss"] or 0.0 for columns in by_model.values()))
    rows = tuple(
        (Cell(name), *(_thousandths(columns[name]) for columns in by_model.values()))
        for name in ranked[:_COLUMNS_SHOWN]
    )
    more = f", top {_COLUMNS_SHOWN} of {len(ranked)}" if len(ranked) > _COLUMNS_SHOWN else ""
    return Table(f"Permutation importance, increase in log-loss x 1,000{more}", ("feature", *by_model), rows)


def decision_table(figures: Figure) -> Table:
    """Decided bars by consensus, and all bars by action."""
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
    """One row a symbol, best net result first."""
    ordered = sorted(figures["per_symbol"], key=lambda row: (-row["net_usd"], row["symbol"]))
    rows = tuple((Cell(row["symbol"]), *(cell(row, name, kind) for name, _, kind in _SYMBOLS)) for row in ordered)
    return Table("Symbols", ("symbol", *(label for _, label, _ in _SYMBOLS)), rows)


def _bare(figures: Figure, name: str, kind: Kind) -> Cell:
    """A cell for a table of many columns: with few intervals, and without the reason for a missing value."""
    made = cell(figures, name, kind)
    return Cell(made.text, made.interval if name in ("win_rate", "expectancy_bps") else "", tone=made.tone)


def _thousandths(row: Figure) -> Cell:
    low_high = row.get("log_loss_ci")
    value = row["log_loss"]
    if value is None:
        return Cell("n/a")
    interval = "" if low_high is None else f"{1e3 * low_high[0]:+.2f} to {1e3 * low_high[1]:+.2f}"
    return Cell(f"{1e3 * value:+.2f}", interval)
