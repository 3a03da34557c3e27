"""Conditions on the records of a journal, as users write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from quorate.core.arguments import TEXT, WHOLE, require_types
from quorate.core.errors import ArgumentError, close_match
from quorate.workflows.inputs.selection import Moment, Selection, span, split_names

if TYPE_CHECKING:
    from quorate.trading.journal import Record, Search

_ATTEMPTED = "read the journal"
# What no database stores in a text.
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")


def search_of(
    after: int,
    before: int | None,
    kinds: Sequence[str] | str,
    symbol: str | None,
    text: str | None,
    start: Moment | None,
    end: Moment | None,
) -> Search:
    """The conditions; arguments as of `PaperAccount.records`.

    Raises:
        ArgumentError: an argument that cannot be used; kinds name the close match.
    """
    from quorate.trading.journal import Search

    for name, number in (("after", after), ("before", before)):
        optional = number is None and name == "before"
        if not optional and (not WHOLE.accepts(number) or number < 0):  # type: ignore[operator]
            raise ArgumentError(_ATTEMPTED, found=f"`{name}` {number!r}", expected="a number of a record, or 0")
    require_types(_ATTEMPTED, symbol=(symbol, TEXT.optional), text=(text, TEXT.optional))
    for name, words in (("symbol", symbol), ("text", text)):
        if words is not None and _UNFIT.search(words):
            raise ArgumentError(_ATTEMPTED, found=f"`{name}` {words!r}", expected="a text without control characters")
    first, last = span(Selection(start=start, end=end))
    return Search(_record_types(kinds), symbol, text, first, last, before, after)


def _record_types(kinds: Sequence[str] | str) -> list[type[Record]] | None:
    from quorate.trading.journal import RECORDS

    if kinds is None:
        raise ArgumentError(_ATTEMPTED, found="`kinds` None", expected="names of records, or none")
    names = split_names(kinds, "kinds")
    for kind in names:
        if kind not in RECORDS:
            raise ArgumentError(
                _ATTEMPTED,
                found=f"`kinds` {kind!r}",
                expected=f"one of {', '.join(RECORDS)}",
                remedy=close_match(kind, RECORDS),
            )
    return [RECORDS[kind] for kind in names] or None
