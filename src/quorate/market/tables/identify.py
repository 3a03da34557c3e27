"""Which market rows are: by what the user says, the table's columns, the file's name and the rows' spacing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import DataError, UnknownSymbolError
from quorate.core.tables import CandleRows, OpenQuestion
from quorate.core.text import counted
from quorate.core.types import IntArray
from quorate.core.types.times import NO_TIME
from quorate.market.files.spellings import base_of, cuts, normal_symbol, normal_timeframe, same_market
from quorate.market.pandas_frames import infer_timeframe
from quorate.market.tables.command_line import ImportOptions
from quorate.market.tables.name_hints import NameHints, name_hints
from quorate.market.tables.readers import ending_of
from quorate.market.tables.table_names import is_perpetual_name

# Rows from which on their spacing contradicts a timeframe.
_ENOUGH = 10


class OtherMarketError(DataError):
    """A table that names another market than the user."""


def hints_of(path: Path, table_name: str, above: tuple[str, ...]) -> NameHints:
    """What the names of a file, and of the sheet or the archive's member in it, suggest."""
    member = Path(table_name)
    inner = name_hints(member.name[: len(member.name) - len(ending_of(member))]) if table_name else NameHints()
    outer = name_hints(path.name[: len(path.name) - len(ending_of(path))])
    hints = inner if inner.pairs or (inner.base and not outer.pairs) else outer
    perpetual = hints.perpetual
    if perpetual is None:
        perpetual = is_perpetual_name(path)
    if perpetual is None and any("cryptodatadownload" in line.lower() for line in above):
        perpetual = False  # its perpetuals say so in their names
    return NameHints(hints.pairs, hints.base, perpetual, inner.timeframe or outer.timeframe)


def identify_symbol(rows: CandleRows, hints: NameHints, options: ImportOptions, attempted: str) -> str | OpenQuestion:
    """The market of rows, or what is to be asked.

    Raises:
        OtherMarketError: the table names another market than the user.
        UnknownSymbolError: the user's symbol is none.
    """
    if options.symbol is not None:
        try:
            symbol = normal_symbol(options.symbol, perpetual=options.perpetual)
        except UnknownSymbolError:
            question = _kind_question(cuts(options.symbol.strip()), options.symbol)
            if question is None:
                raise
            return question
        if rows.symbol is not None and not same_market(rows.symbol, symbol):
            raise OtherMarketError(
                f"{attempted} as {symbol}",
                found=f"rows of {rows.symbol}",
                expected=f"rows of {symbol}",
                remedy="Leave out `symbol` to import them as what they are.",
            )
        return symbol
    perpetual = hints.perpetual if options.perpetual is None else options.perpetual
    if rows.symbol is not None:
        return _of_text(rows.symbol, perpetual, hints)
    if not hints.pairs:
        base = hints.base
        found = f"no market in its columns or its name, only {base}" if base else "no market in its columns or its name"
        return OpenQuestion(found, "symbol", f"{base or 'BTC'}/USDT", f"{base or 'BTC'}/USD")
    if len(hints.pairs) > 1:
        names = [f"{first}/{second}" for first, second in hints.pairs]
        return OpenQuestion(f"a name that can be {' or '.join(names)}", "symbol", names[0], names[1])
    ((base, quote),) = hints.pairs
    return _of_pair(base, quote, perpetual)


def _of_text(text: str, perpetual: bool | None, hints: NameHints) -> str | OpenQuestion:
    try:
        return normal_symbol(text, perpetual=True if perpetual else None)
    except UnknownSymbolError:
        pass
    bare = text.rpartition(":")[2]
    ways = cuts(re.sub(r"[\W_]", "", bare))
    if len(ways) == 1:
        return _of_pair(*ways[0], perpetual)
    if len(ways) > 1:
        names = [f"{first}/{second}" for first, second in ways]
        return OpenQuestion(f"the symbol {text}, which can be {' or '.join(names)}", "symbol", names[0], names[1])
    base = base_of(bare)
    mine = [pair for pair in hints.pairs if pair[0] == base]
    if len(mine) == 1:
        return _of_pair(*mine[0], perpetual)
    answer = base if base.isalnum() and 1 < len(base) < 12 else hints.base or "BTC"
    return OpenQuestion(
        f"the symbol {text}, without the currency it is priced in", "symbol", f"{answer}/USDT", f"{answer}/USD"
    )


def _of_pair(base: str, quote: str, perpetual: bool | None) -> str | OpenQuestion:
    if perpetual is None:
        if quote in ("USD", "EUR", "GBP", "JPY", "KRW"):
            return f"{base}/{quote}"  # perpetuals are quoted in coins
        return _kind_question(((base, quote),), f"{base}{quote}") or f"{base}/{quote}"
    return f"{base}/{quote}:{quote}" if perpetual else f"{base}/{quote}"


def _kind_question(ways: tuple[tuple[str, str], ...], text: str) -> OpenQuestion | None:
    if len(ways) != 1:
        return None
    ((base, quote),) = ways
    return OpenQuestion(
        f"{text}, which can be spot ({base}/{quote}) or a perpetual ({base}/{quote}:{quote})",
        "perpetual",
        "--spot",
        "--perpetual",
    )


def identify_timeframe(
    rows: CandleRows, hints: NameHints, options: ImportOptions, stated: str | None, attempted: str
) -> str | OpenQuestion:
    """The timeframe of rows, or what is to be asked.

    Args:
        rows: of one market.
        hints: of the name.
        options: of the user.
        stated: by a name of Freqtrade's or of an exchange's archive.
        attempted: the action, for errors.

    Raises:
        DataError: the rows are bars of another length than stated, or of one that is not supported.
        UnknownTimeframeError: the user's is none.
    """
    given = options.timeframe or stated or rows.timeframe
    if given is not None:
        frame = normal_timeframe(given if not given.isdecimal() else f"{given}m")
        _require_spacing(rows.time, timeframe_ms(frame), frame, attempted)
        return frame
    known = np.unique(rows.time[rows.time != NO_TIME])
    if len(known) > 1:
        shortest = int(np.diff(known).min())
        if shortest >= 28 * 86_400_000:
            raise DataError(attempted, found="bars of a month", expected="bars of minutes, hours, days or weeks")
        return infer_timeframe(rows.time, attempted)
    if hints.timeframe is not None:
        return hints.timeframe
    return OpenQuestion(f"{counted(len(known), 'bar')}, whose length is not known", "timeframe", "1h")


def _require_spacing(time: IntArray, length: int, frame: str, attempted: str) -> None:
    """Refuse rows that are nowhere as close as bars of the timeframe.

    Raises:
        DataError: they are further apart, or closer.
    """
    distances = np.diff(np.unique(time[time != NO_TIME]))
    if len(distances) + 1 < _ENOUGH:
        return
    if int(distances.min()) > length or (distances < length).mean() > 0.5:
        found = infer_timeframe(time, attempted)
        raise DataError(
            attempted,
            found=f"rows that are {found} apart",
            expected=f"bars of {frame}",
            remedy=f"Give `timeframe` {found}.",
        )
