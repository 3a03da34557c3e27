"""Numbers as spreadsheets and web pages write them: thousands separators, decimal commas, suffixes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from quorate.core.types.arrays import FloatArray

#: Texts of cells that hold no value, in lower case.
EMPTY = frozenset(("", "-", "--", "\u2013", "\u2014", "n/a", "na", "nan", "null", "none", "#n/a", "nd", "k.a."))

# Spaces of every kind, apostrophes and currency signs; the minus sign of typography becomes a hyphen.
_SPACES: dict[int, str | None] = {
    **dict.fromkeys(map(ord, " \u00a0\u2007\u2009\u202f'\u2019`\u00b4$€£¥₩₽₺₹฿₿")),
    ord("\u2212"): "-",
}
_NUMBER = re.compile(
    r"(?P<number>[-+]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][-+]?\d+)?)(?P<unit>[^\W\d_]{1,5}\.?)?%?", re.IGNORECASE
)
_FACTORS = {
    **dict.fromkeys(("k", "tsd", "тыс"), 1e3),
    **dict.fromkeys(("m", "mio", "mln", "млн"), 1e6),
    **dict.fromkeys(("b", "bn", "mrd", "млрд"), 1e9),
    "t": 1e12,
    "万": 1e4,
    "亿": 1e8,
}


def bare(text: str) -> str:
    """A number without spaces, apostrophes and currency signs."""
    return text.translate(_SPACES)


def is_number_text(text: str) -> bool:
    """Whether a text can be a number in some convention."""
    return _NUMBER.fullmatch(bare(text)) is not None


def decimal_mark(texts: Iterable[str | None]) -> str:
    """Decide which character stands before the decimals, from all texts together.

    Returns:
        "." or ",", where a text decides it: both marks in one number, a mark that is repeated, or one that is not
        followed by three digits. "?," where commas and "?." where points could be either, "" without a mark. "!" where
        texts contradict each other.

    >>> decimal_mark(["1,234.5"]), decimal_mark(["1.234,5"]), decimal_mark(["1,5"]), decimal_mark(["94,172", "94,405"])
    ('.', ',', ',', '?,')
    >>> decimal_mark(["1.234.567", "12"]), decimal_mark(["94.172"]), decimal_mark(["1,5", "1.5"]), decimal_mark(["12"])
    (',', '?.', '!', '')
    """
    found: set[str] = set()
    undecided: set[str] = set()
    for text in texts:
        if not text or ("." not in text and "," not in text):
            continue
        match = _NUMBER.fullmatch(bare(text))
        if match is None:
            continue
        number = re.split("[eE]", match["number"])[0]
        marks = [letter for letter in number if letter in ".,"]
        if not marks:
            continue
        if len(set(marks)) == 2:
            found.add(marks[-1])
        elif len(marks) > 1:
            found.add("," if marks[0] == "." else ".")  # of a mark that is repeated, each separates thousands
        else:
            before, after = re.split("[.,]", number.lstrip("+-"))
            if len(after) != 3 or len(before) > 3 or before in ("", "0") or before.startswith("0"):
                found.add(marks[0])
            else:
                undecided.add(marks[0])
    if len(found) > 1:
        return "!"
    if found:
        return found.pop()
    if len(undecided) > 1:
        return "!"
    return f"?{undecided.pop()}" if undecided else ""


def parse_numbers(texts: Iterable[Any], mark: str) -> tuple[FloatArray, int | None]:
    """Convert texts to numbers.

    Args:
        texts: None and the texts of `EMPTY` are missing values.
        mark: the character before the decimals.

    Returns:
        (n,) float64, NaN where a value is missing; and the first row that is no number, or None.

    >>> parse_numbers(["1.234,50", "12,5K", None, "-"], ",")[0].tolist()
    [1234.5, 12500.0, nan, nan]
    """
    thousands = "." if mark == "," else ","
    values: list[float] = []
    for row, text in enumerate(texts):
        if text is None:
            values.append(np.nan)
            continue
        short = bare(text).replace(thousands, "")
        if mark == ",":
            short = short.replace(",", ".")
        try:
            values.append(float(short))
        except ValueError:
            number = _with_suffix(short)
            if number is None and text.strip().lower() not in EMPTY:
                return np.array(values), row
            values.append(np.nan if number is None else number)
    return np.array(values, dtype=np.float64), None


def _with_suffix(text: str) -> float | None:
    """A number with a factor such as K or Mio, or with the name of a currency, which is left out."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    unit = (match["unit"] or "").lower().rstrip(".")
    if unit not in _FACTORS and unit and len(unit) < 3:
        return None
    # Decimal, so that 3.26K is 3260 and not 3259.9999999999995.
    from decimal import Decimal, InvalidOperation

    try:
        return float(Decimal(match["number"]) * Decimal(_FACTORS.get(unit, 1)))
    except InvalidOperation:
        return None
