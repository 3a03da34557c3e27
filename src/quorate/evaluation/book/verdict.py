"""The judgement in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Probability from which a deflated Sharpe ratio counts as proven.
_PROVEN = 0.95

# Share of placebos that may be as good as the book.
_LUCKY = 0.05


def book_verdict(figures: Mapping[str, Any]) -> dict[str, Any]:
    """`outcome`, one `sentence` and the `details`, of the figures of a judgement.

    The outcome is "none" without a position, "loss" where the whole interval of the Sharpe ratio is below 0, "gain"
    where it is above 0 after the deflation for all trials too, and else "open".
    """
    whole = figures["whole"]
    if whole["sharpe"] is None:
        days = "it held nothing on any day" if not whole["days"] else "its returns do not differ from day to day"
        return {"outcome": "none", "sentence": f"No judgement: {days}.", "details": []}
    ends, probability = whole.get("sharpe_ci"), figures["deflation"]["probability"]
    proven = ends is not None and ends[0] > 0 and probability is not None and probability >= _PROVEN
    lost = ends is not None and ends[1] < 0
    outcome = "gain" if proven else "loss" if lost else "open"
    beside = figures["beside"]["btc"]
    sentence = f"Net Sharpe {sharpe_text(whole)} over {whole['days']:,} days, beside BTC {sharpe_text(beside)}: "
    sentence += {"gain": "proven", "loss": "a loss beyond chance", "open": "not proven"}[outcome]
    return {"outcome": outcome, "sentence": f"{sentence}{_because(figures)}.", "details": _details(figures)}


def sharpe_text(figures: Mapping[str, Any], name: str = "sharpe") -> str:
    """A Sharpe ratio with its interval.

    >>> sharpe_text({"sharpe": 1.557, "sharpe_ci": [0.561, 2.572]}), sharpe_text({"sharpe": None})
    ('1.56 (0.56 to 2.57)', 'n/a')
    """
    value, ends = figures.get(name), figures.get(f"{name}_ci")
    if value is None:
        return "n/a"
    return f"{value:.2f}" + (f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else "")


def _because(figures: Mapping[str, Any]) -> str:
    found = figures["deflation"]
    if found["probability"] is None:
        return ""
    tried = f"{found['trials']:,} configurations" if found["trials"] > 1 else "the one configuration"
    return f"; the probability that it beats the best of {tried} without skill is {found['probability']:.2f}"


def _details(figures: Mapping[str, Any]) -> list[str]:
    whole, needed = figures["whole"], figures["power"]
    lines = [
        f"{100 * whole['yearly_return']:+.1f} % a year at {100 * whole['volatility']:.1f} % volatility, drawdown "
        f"{100 * whole['max_drawdown']:.1f} %, turnover {whole['turnover_a_day']:.2f} a day, "
        f"{whole['bp_a_day']:.1f} bp a day per unit of exposure, net of fees, slippage and funding."
    ]
    if needed["years_needed"] is not None:
        lines.append(
            f"Such a Sharpe ratio needs {needed['years_needed']:.1f} years for t = 2, and has had "
            f"{needed['years']:.1f}; one of 1 needs four."
        )
    found = figures["placebo"]
    shares = [
        f"{100 * found[kind]['share_above']:.0f} % of {found[kind]['runs']} {kind}"
        for kind in ("shifted", "shuffled")
        if found[kind]["share_above"] is not None
    ]
    if shares:
        lucky = max(found[kind]["share_above"] or 0.0 for kind in ("shifted", "shuffled")) > _LUCKY
        meant = "chance of that kind may explain it" if lucky else "chance of that kind does not explain it"
        lines.append(f"Placebos that are as good: {', '.join(shares)}: {meant}.")
    late = _late(figures["robustness"], "one_bar_late", "at_bars")
    followed = _late(figures["robustness"], "without_band_one_bar_late", "without_band")
    if late:
        lines.append(
            f"Filled 4 hours late, the Sharpe ratio is {late}{f', without the band {followed}' * bool(followed)}."
        )
    return lines


def _late(found: Mapping[str, Any], late: str, on_time: str) -> str:
    one, other = (found.get(name, {}).get("sharpe") for name in (late, on_time))
    return "" if one is None or other is None else f"{one:.2f} instead of {other:.2f}"
