"""Counts in words."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, in the plural but for one.

    >>> counted(1, "trade"), counted(1152, "trade"), counted(0, "entry", "entries")
    ('1 trade', '1,152 trades', '0 entries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
