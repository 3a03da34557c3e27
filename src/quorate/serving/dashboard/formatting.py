"""Text of values on pages: filters of the templates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from quorate.core.clock import format_ms, iso_ms
from quorate.core.text.plural import counted
from quorate.core.types.signals import SHORT_NAMES
from quorate.evaluation.report.formatting import Kind, interval_text, text_of
from quorate.trading.account.currency import in_currency

#: What stands for a value that is missing.
MISSING = "—"

# Between a number and its unit.
_NO_BREAK = "\N{NO-BREAK SPACE}"


def figure(value: float | None, kind: Kind) -> str:
    r"""A number with its unit.

    >>> figure(0.123, "odds"), figure(None, "usd")
    ('12.3\xa0%', '—')
    """
    return MISSING if value is None else text_of(value, kind).replace(" ", _NO_BREAK)


def money(value: float | None, currency: str) -> str:
    """An amount in the currency of the account.

    >>> money(-12.5, "USD"), money(1234.5, "EUR"), money(None, "EUR")
    ('-$12.50', '1,234.50 EUR', '—')
    """
    return MISSING if value is None else in_currency(text_of(value, "usd"), currency)


def interval(ends: list[float] | None, kind: Kind) -> str:
    r"""Both ends of an interval, with the unit once; empty without one.

    >>> interval([0.4, 0.6], "share")
    '40.00 to 60.00\xa0%'
    """
    return interval_text(ends, kind).replace(" %", f"{_NO_BREAK}%")


def whole(value: float | None) -> str:
    r"""A fraction as whole percent.

    >>> whole(0.786), whole(None)
    ('79\xa0%', '—')
    """
    return MISSING if value is None else f"{value:.0%}".replace("%", f"{_NO_BREAK}%")


def price(value: float | None) -> str:
    """A price with five digits that count.

    >>> price(67123.456), price(1.23), price(0.0000123456), price(0.0), price(None)
    ('67,123.5', '1.2300', '0.000012346', '0.0000', '—')
    """
    if value is None:
        return MISSING
    size = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{min(9, max(1, 4 - size))}f}"


def duration(milliseconds: int) -> str:
    """A length of time in its largest unit.

    >>> duration(59_000), duration(61_000), duration(7_200_000), duration(200_000_000)
    ('59 s', '1 min', '2 h', '2 d')
    """
    seconds = max(0, milliseconds // 1_000)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length or (unit == "min" and seconds >= length):
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def short_model(name: str) -> str:
    """Short name of a member, as in the one-line form of a signal."""
    return SHORT_NAMES.get(name, name)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "duration": duration,
    "figure": figure,
    "interval": interval,
    "iso": iso_ms,
    "minute": format_ms,
    "money": money,
    "plural": counted,
    "price": price,
    "short_model": short_model,
    "whole": whole,
}
