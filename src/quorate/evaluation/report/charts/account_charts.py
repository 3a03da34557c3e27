"""Charts of an account: histogram of trades, distributions of resampled accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from quorate.core.text.plural import counted
from quorate.core.types import FloatArray
from quorate.evaluation.report.charts.svg import Chart, ticks

_BINS = 31  # of a histogram of trades
_DRAW_BINS = 30  # of a distribution, at most; few draws have fewer
_TAIL = 0.005  # of a distribution, at each end, is drawn in its outermost bars


def trade_histogram(returns: FloatArray) -> str:
    """Histogram of the net returns of trades, (n,) fractions; "" without trades."""
    if not len(returns):
        return ""
    reach = float(np.abs(returns).max()) or 0.01
    # Symmetric about 0 with an edge at 0, so that no bar mixes wins and losses.
    edges = np.linspace(-reach, reach, _BINS + 1 + _BINS % 2)
    count, _ = np.histogram(returns, edges)
    won = int((returns > 0).sum())
    reached = f"{won:,} won; from {returns.min():+.2%} to {returns.max():+.2%}"
    name = f"Net results of {counted(len(returns), 'trade')}: {reached}"
    chart = Chart((-reach, reach), (0.0, 1.08 * count.max()), name)
    chart.axes(
        ticks(-reach, reach, _percent(reach)),
        ticks(0, count.max(), "{:,.0f}".format, 4),
        "net result over position value",
    )
    for left, right, n in zip(edges[:-1], edges[1:], count.tolist(), strict=True):
        if n:
            words = f"{left:+.2%} to {right:+.2%}: {n:,} {'trade' if n == 1 else 'trades'}"
            chart.bar(left, right, n, "good" if left >= 0 else "bad", words)
    return chart.svg()


def distribution(values: Sequence[float], actual: float, title: str, x_title: str) -> str:
    """Histogram of a figure, a fraction, over resampled accounts, with the account's own; "" if no value is known.

    The extreme values are drawn in the outermost bars, so that a single one does not squeeze all others.
    """
    found = np.array(values, np.float64)
    if not found.size:
        return ""
    low, high = (float(end) for end in np.quantile(found, [_TAIL, 1 - _TAIL]))
    low, high = min(low, actual), max(high, actual)
    more = 0.04 * (high - low) or 0.01
    low, high = low - more, high + more
    count, edges = np.histogram(
        np.clip(found, low, high), np.linspace(low, high, min(_DRAW_BINS, 4 + 2 * int(len(found) ** 0.5)) + 1)
    )
    middle = float(np.median(found))
    shown = _percent(max(abs(low), abs(high)))
    name = f"{title}: median {shown(middle)} over {len(found):,} draws; the account: {shown(actual)}"
    chart = Chart((low, high), (0.0, 1.3 * count.max()), name, height=190, left=14)
    chart.axes(ticks(low, high, shown, 4), (), x_title)
    for left, right, n in zip(edges[:-1], edges[1:], count.tolist(), strict=True):
        if n:
            chart.bar(left, right, n, "draws", f"{shown(left)} to {shown(right)}: {n / len(found):.1%} of the draws")
    return chart.mark(actual, f"this run {shown(actual)}").svg()


def _percent(reach: float) -> Callable[[float], str]:
    """Text of fractions up to `reach` in percent, with as many digits as they need."""
    digits = 0 if reach > 0.3 else 1 if reach > 0.02 else 2

    def text(value: float) -> str:
        return f"{100 * value + 0.0:.{digits}f} %".replace("-0 %", "0 %")

    return text
