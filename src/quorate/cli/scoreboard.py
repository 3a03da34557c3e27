"""What was measured, as tables for a terminal: every figure beside its baseline, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quorate.cli import output

# title -> (column, key, format)
_SCORE_TABLES: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "Scores on the same rows, 95 % intervals over days": (
        ("log-loss", "log_loss", "{:.4f}"),
        ("Brier", "brier", "{:.4f}"),
        ("skill against the prior", "skill_vs_prior", "{:+.2%}"),
    ),
    "Ranking on the same rows, 95 % intervals over days": (
        ("AUC", "auc", "{:.3f}"),
        ("accuracy", "accuracy", "{:.1%}"),
        ("rank IC", "rank_ic", "{:+.3f}"),
    ),
}

_TRADING_ROWS: Sequence[tuple[str, str, str]] = (
    ("total return", "total_return", "{:+.2%}"),
    ("max drawdown", "max_drawdown", "{:.2%}"),
    ("Sharpe (yearly)", "sharpe", "{:.2f}"),
    ("Sortino", "sortino", "{:.2f}"),
    ("Calmar", "calmar", "{:.2f}"),
    ("trades", "n", "{:d}"),
    ("win rate", "win_rate", "{:.1%}"),
    ("expectancy, bp of value", "expectancy_bps", "{:+.1f}"),
    ("profit factor", "profit_factor", "{:.2f}"),
    ("reward / risk", "reward_risk", "{:.2f}"),
    ("largest loss, USDT", "largest_loss_usd", "{:.2f}"),
    ("net, USDT", "net_usd", "{:+.2f}"),
    ("exposure", "exposure", "{:.1%}"),
)


def show(document: Mapping[str, Any]) -> None:
    """The document of `quorate evaluate --json` as tables."""
    synthetic = document["synthetic"]
    if synthetic:
        output.print_line(output.SYNTHETIC)
    if document.get("in_training_span"):
        output.print_line("INSIDE THE TRAINING SPAN: these figures say nothing about the future")
    unseen = document.get("unseen_symbols", ())
    output.print_line(
        f"{document['rows']:,} labelled bars of {document['symbols']} symbols ({len(unseen)} never trained on), "
        f"{document['from']} to {document['to']}, {document['days']} days"
    )
    show_scores(document, synthetic=synthetic)
    show_decisions(document["decisions"], synthetic=synthetic)
    show_trading(document["trades"], document["baselines"].get("buy_and_hold"), synthetic=synthetic)
    show_criteria(document["criteria"], synthetic=synthetic)


def show_scores(document: Mapping[str, Any], *, synthetic: bool) -> None:
    """Members and ensemble beside the class prior, on the same rows."""
    prior, hold = document["baselines"]["prior"], document["baselines"]["always_hold"]
    models = {**document["members"], "ensemble (raw scores)": document["ensemble"], "class prior": prior}
    for title, columns in _SCORE_TABLES.items():
        rows = [(name, *(_text(figures, key, form) for _, key, form in columns)) for name, figures in models.items()]
        if any(key == "accuracy" for _, key, _ in columns):
            rows.append(("always HOLD", *(_text(hold, key, form) for _, key, form in columns)))
        output.print_table(title, ("model", *(name for name, _, _ in columns)), rows, synthetic=synthetic)


def show_decisions(decisions: Mapping[str, Any], *, synthetic: bool) -> None:
    """What the vote made of the scores."""
    decided = max(1, decisions["decided"])
    rows = [(name, f"{count:,}", f"{count / decided:.2%}") for name, count in decisions["consensus"].items()]
    output.print_table("Consensus", ("consensus", "bars", "of decided bars"), rows, synthetic=synthetic)
    total = max(1, decisions["bars"])
    rows = [(f"action {name}", f"{count:,}", f"{count / total:.2%}") for name, count in decisions["actions"].items()]
    rows += [(f"by rule {name}", f"{count:,}", f"{count / total:.2%}") for name, count in decisions["rules"].items()]
    output.print_table("Decisions", ("decision", "bars", "of all bars"), rows, synthetic=synthetic)


def show_trading(
    trades: Mapping[str, Any], hold: Mapping[str, Any] | None = None, *, synthetic: bool, marked: bool = False
) -> None:
    """The account beside buy-and-hold and beside doing nothing."""
    rows = []
    for name, key, form in _TRADING_ROWS:
        nothing = form.format(0) if key in ("total_return", "max_drawdown", "n", "net_usd", "exposure") else ""
        rows.append((name, _text(trades, key, form), _text(hold or {}, key, form), nothing))
    title = "Account" + (" (INSIDE THE TRAINING SPAN)" if marked else "")
    output.print_table(title, ("figure", "quorate", "buy and hold", "hold cash"), rows, synthetic=synthetic)
    if "costs" in trades:
        fee, slippage, funding = (trades["costs"][f"{name}_usd"] for name in ("fee", "slippage", "funding"))
        output.print_line(f"fees {fee:.2f}, slippage {slippage:.2f}, funding {funding:+.2f} USDT")
    if unknown := trades.get("funding_unknown"):
        some = ", ".join(unknown[:8]) + (" ..." if len(unknown) > 8 else "")
        output.print_line(f"funding is unknown for some trades of {len(unknown)} symbols: {some}")


def show_criteria(criteria: Sequence[Mapping[str, Any]], *, synthetic: bool) -> None:
    """Target, measured, pass or fail."""
    verdicts = {True: "pass", False: "FAIL", None: "n/a"}
    rows = [(row["name"], row["target"], row["shown"], verdicts[row["ok"]], row.get("note") or "") for row in criteria]
    output.print_table(
        "Success criteria", ("criterion", "target", "measured", "verdict", ""), rows, synthetic=synthetic
    )


def _text(figures: Mapping[str, Any], key: str, form: str) -> str:
    value = figures.get(key)
    if value is None:
        return ""
    interval = figures.get(f"{key}_ci")
    if interval is None:
        return form.format(value)
    return f"{form.format(value)} [{form.format(interval[0])}, {form.format(interval[1])}]"
