"""The number of bars without a trade, as a line."""

from __future__ import annotations

from collections.abc import Mapping

from quorate.cli import output
from quorate.core.text.plural import counted


def quiet_bars(counts: Mapping[str, int]) -> None:
    """Print how many bars are quiet; nothing where none is.

    Args:
        counts: symbol -> quiet bars.
    """
    if counts:
        most = max(counts, key=lambda symbol: counts[symbol])
        output.print_line(
            f"{sum(counts.values()):,} bars of {counted(len(counts), 'market')} have one price and no volume (most: "
            f"{most}, {counts[most]:,}); they are candles like the others"
        )
