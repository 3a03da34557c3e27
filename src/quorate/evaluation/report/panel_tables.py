"""Tables of a panel of language models: accounts with and without it, and the entries that it removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from quorate.evaluation.report.formatting import Cell, Kind, Table, cell, text_of

_FIGURES: tuple[tuple[str, str, Kind], ...] = (
    ("n", "trades", "count"),
    ("losses", "losing trades", "count"),
    ("win_rate", "win rate", "share"),
    ("expectancy_bps", "expectancy", "bps"),
    ("sharpe", "Sharpe", "number"),
    ("max_drawdown", "drawdown", "share"),
    ("net_usd", "net result", "usd"),
)

# Figures whose difference is measured, and its kind of cell: with a sign.
_PAIRED: dict[str, Kind] = {
    "win_rate": "percent",
    "expectancy_bps": "bps",
    "sharpe": "number",
    "max_drawdown": "percent",
}


def panel_tables(document: Mapping[str, Any]) -> Iterator[Table]:
    """The tables of a document with a panel that was evaluated; none without one.

    Args:
        document: of `quorate evaluate --json`.
    """
    panel = document.get("panel", {})
    if "comparison" not in panel:
        return
    compared = panel["comparison"]
    rows = []
    for name, shown, kind in _FIGURES:
        apart = cell(compared["difference"], name, _PAIRED[name]) if name in _PAIRED else Cell("")
        sides = (cell(compared[side], name, kind) for side in ("with", "without"))
        rows.append((Cell(shown), *sides, apart))
    rows.append((Cell("cost of the replies"), Cell(text_of(compared["usd"], "usd")), Cell(""), Cell("")))
    columns = ("", "with the panel", "without", "difference")
    yield Table("Account with and without the panel of language models", columns, tuple(rows))
    entries = compared["entries"]
    found = tuple(
        (
            Cell(f"{name} entries"),
            Cell(text_of(entries[name], "count")),
            Cell(text_of(entries[f"{name}_removed"], "count")),
            cell(_share(entries, name), "share", "share"),
        )
        for name in ("losing", "other")
    )
    last = (Cell("difference"), Cell(""), Cell(""), cell(entries, "kept_apart", "percent"))
    yield Table("Entries of the account without the panel", ("", "entries", "vetoed", "share"), (*found, last))


def panel_line(document: Mapping[str, Any]) -> str:
    """What a panel did to the entries of a run, in one line; empty without a panel.

    Args:
        document: of `quorate evaluate --json` or `quorate backtest --json`.
    """
    panel = document.get("panel")
    if panel is None:
        return ""
    strengths = ", ".join(f"{name} {count}" for name, count in panel["strengths"].items() if count)
    share = "" if panel["mean_share"] is None else f", mean share {panel['mean_share']:.0%} of the ordinary stake"
    return (
        f"panel: {panel['entries']} entries judged ({strengths or 'none'}); {panel['vetoed']} vetoed, "
        f"{panel['without_replies']} without replies{share}; replies ${panel['found']['usd']:.4f}"
    )


def _share(entries: Mapping[str, Any], name: str) -> dict[str, Any]:
    key, missing = f"{name}_removed_share", entries.get("missing", {})
    known = {"share": entries[key], "share_ci": entries.get(f"{name}_removed_ci")}
    return {**known, "missing": {"share": missing[key]}} if key in missing else known
