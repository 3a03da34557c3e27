"""The number of bars without a trade, as a line."""

from __future__ import annotations

from collections.abc import Mapping

from quorate.cli import output


def quiet_bars(counts: Mapping[str, int]) -> None:
    """Print how many bars are quiet; nothing where none is.

    Args:
        counts: symbol -> quiet bars.
    """
    if counts:
        most = max(counts, key=lambda symbol: counts[symbol])
        output.print_line(
            f"{sum(counts.values()):,} bars of {len(counts)} symbols have one price and no volume (most: {most}, "
            f"{counts[most]:,}); they are candles like the others"
        )
