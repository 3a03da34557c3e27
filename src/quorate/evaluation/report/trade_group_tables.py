"""Tables of trades by market, by side and by exit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quorate.evaluation.report.formatting import Cell, Kind, Table, cell, text_of, tone_of

_TITLES = {"symbols": "Markets", "sides": "Sides", "exits": "Exits"}
_COLUMNS: tuple[tuple[str, str, Kind], ...] = (
    ("n", "trades", "count"),
    ("win_rate", "won", "share"),
    ("expectancy_bps", "mean a trade", "bps"),
    ("net_usd", "net result", "usd"),
)
_DAY = 48.0  # hours from which on a time is shown in days


def trade_group_tables(groups: dict[str, list[dict[str, Any]]]) -> tuple[Table, ...]:
    """One table a kind of group: exits, sides, markets; empty without trades.

    Args:
        groups: of `trade_groups`.
    """
    return tuple(_table(_TITLES[kind], groups[kind]) for kind in ("exits", "sides", "symbols"))


def _table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    cells = tuple(
        (Cell(row["name"]), *(_cell(row, name, kind) for name, _, kind in _COLUMNS), Cell(held_text(row["mean_hours"])))
        for row in rows
    )
    return Table(title, ("", *(label for _, label, _ in _COLUMNS), "held, mean"), cells)


def _cell(row: dict[str, Any], name: str, kind: Kind) -> Cell:
    """A figure; the sign of a result decides its colour, the interval of few trades would say nothing."""
    if name in ("expectancy_bps", "net_usd"):
        return Cell(text_of(row[name], kind), tone=tone_of(row[name]))
    return Cell(cell(row, name, kind).text)


def held_text(hours: float) -> str:
    """A time held, in hours or days.

    >>> held_text(5.25), held_text(72)
    ('5.2 h', '3.0 d')
    """
    return f"{hours:.1f} h" if hours < _DAY else f"{hours / 24:.1f} d"
