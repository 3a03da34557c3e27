"""Which column of a table is which part of a candle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorate.core.errors import ArgumentError, DataError, close_match
from quorate.core.tables.column_names import plain, role_of
from quorate.core.tables.column_order import MOST, PRICES, VALUES
from quorate.core.tables.number_texts import is_number_text
from quorate.core.tables.table import RawTable, TableColumn
from quorate.core.tables.time_columns import is_clock, is_time
from quorate.core.tables.unclear import OpenQuestion, UnclearTableError
from quorate.core.tables.volume_column import volume_column

#: Names that `columns` may give.
NAMED = ("date", *VALUES, "symbol", "timeframe")

_TIMES = ("open_time", "epoch", "date", "time", "timestamp")
# Where a column has several headers, the first role of this list counts: Price, Ticker, Date is the date.
_PRIORITY = (
    *_TIMES,
    "close_time",
    *VALUES,
    "tick_volume",
    "quote_volume",
    "symbol",
    "timeframe",
    "price",
    "market_cap",
)
_INDEX = frozenset(("", "index", "level0", "unnamed0", "indexlevel0"))


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of the columns.

    Attributes:
        time: of the open time; two where date and time of day are apart.
        markets: name of the market in the headers, or None -> places of open, high, low, close and volume.
        symbol, timeframe: of the columns that name them; None without.
        money: the volume is in the quote currency; name of its column.
        ticks: the volume counts price changes.
        loose: places of the columns after the time where there is no header, so that the values decide their order.
    """

    time: tuple[int, ...]
    markets: Mapping[str | None, Mapping[str, int]]
    symbol: int | None = None
    timeframe: int | None = None
    money: str = ""
    ticks: bool = False
    loose: tuple[int, ...] = ()


def find_columns(
    table: RawTable, attempted: str, *, named: Mapping[str, str] | None = None, market: str = "", volume: bool = True
) -> Layout:
    """Find the columns of candles.

    Args:
        table: the table.
        attempted: the action, for errors.
        named: open, high, low, close, volume, date, symbol or timeframe -> header, or number of the column from 1;
            `A+B` for date and time of day.
        market: the symbol, if it is known: which of two columns of volume counts coins depends on it.
        volume: whether a volume is needed.

    Raises:
        UnclearTableError: columns that are not found.
        DataError: a column that is there twice.
        ArgumentError: a name in `named` that the table does not have.
    """
    given = _given(table, named or {}, attempted)
    if not any(any(column.heads) for column in table.columns) and not given:
        return _by_position(table, attempted, volume=volume)
    roles = _roles(table)
    time = given.get("date") or _time(table, roles)
    symbol = _only(given.get("symbol")) if "symbol" in given else _first(table, roles, "symbol")
    frame = _only(given.get("timeframe")) if "timeframe" in given else _first(table, roles, "timeframe")
    hints = [market] if market else []
    if symbol is not None:
        hints += table.columns[symbol].examples(1)
    markets: dict[str | None, dict[str, int]] = {}
    money, ticks = "", False
    for name in _groups(table, roles):
        places: dict[str, int] = {}
        mine = [n for n, column in enumerate(table.columns) if name is None or name in column.heads]
        for role in VALUES:
            if role in given:
                places[role] = given[role][0]
                continue
            found = [n for n in mine if roles[n][0] == role and n not in time]
            if role == "volume":
                place, money, ticks = volume_column(table, roles, found, mine, hints)
            else:
                if role == "close" and not found and {"open", "high", "low"} <= {roles[n][0] for n in mine}:
                    found = [n for n in mine if roles[n][0] == "price"][:1]
                place = _once(table, role, found, attempted)
            if place is not None:
                places[role] = place
        markets[name] = places
    needed = VALUES if volume else PRICES
    missing = [role for role in needed if any(role not in places for places in markets.values())]
    if missing or not time:
        raise _missing(table, roles, attempted, missing, time)
    return Layout(time, markets, symbol, frame, money, ticks)


def time_places(table: RawTable, named: Mapping[str, str], attempted: str) -> tuple[int, ...]:
    """Places of the open time's columns; empty where they are not found."""
    return _given(table, named, attempted).get("date") or _time(table, _roles(table))


def _roles(table: RawTable) -> list[tuple[str, str]]:
    """Role and unit of each column; single letters count where at least four of them are known: t,o,h,l,c,v."""
    roles = [_role(column) for column in table.columns]
    letters = [
        len(column.name) == 1 and column.name.isascii() and role[0] != ""
        for column, role in zip(table.columns, roles, strict=True)
    ]
    if sum(letters) > 3:
        return roles
    return [("", "") if letter else role for letter, role in zip(letters, roles, strict=True)]


def _role(column: TableColumn) -> tuple[str, str]:
    found = [role for role in map(role_of, column.heads) if role is not None]
    return min(found, key=lambda role: _PRIORITY.index(role[0])) if found else ("", "")


def _given(table: RawTable, named: Mapping[str, str], attempted: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for role, text in named.items():
        if role not in NAMED:
            raise ArgumentError(
                attempted,
                found=f"{role!r} in `columns`",
                expected=f"names among {', '.join(NAMED)}",
                remedy=close_match(role, NAMED),
            )
        places = [_place(table, part) for part in ([text] if _place(table, text) is not None else text.split("+"))]
        if None in places or (role != "date" and len(places) > 1):
            raise ArgumentError(
                attempted,
                found=f"no column {text!r} for {role} in `columns`",
                expected=f"one of {', '.join(table.names[:20])}, or its number from 1 to {len(table.columns)}",
                remedy=close_match(text, table.names),
            )
        found[role] = tuple(place for place in places if place is not None)
    return found


def _place(table: RawTable, text: str) -> int | None:
    for same in (lambda head: head == text, lambda head: plain(head) == plain(text)):
        for number, column in enumerate(table.columns):
            if any(head and same(head) for head in column.heads):
                return number
    return int(text) - 1 if text.isdecimal() and 1 <= int(text) <= len(table.columns) else None


def _time(table: RawTable, roles: Sequence[tuple[str, str]]) -> tuple[int, ...]:
    """Places of the open time, and of the time of day where it is apart."""
    candidates = [n for role in _TIMES for n, found in enumerate(roles) if found[0] == role]
    full = [n for n in candidates if not is_clock(table.columns[n])]
    clocks = [n for n in candidates if n not in full]
    if not full:
        spare = (n for n, column in enumerate(table.columns) if plain(column.name) in _INDEX and is_time(column))
        full = list(spare)[:1]
    if not full:
        return ()
    certain = [n for n in full if is_time(table.columns[n], certain=True)]
    opens = [n for n in full if roles[n][0] == "open_time"]
    best = (opens or certain or full)[0]
    return (best, *clocks[:1]) if clocks and best not in certain else (best,)


def _first(table: RawTable, roles: Sequence[tuple[str, str]], wanted: str) -> int | None:
    """Place of the column that names symbols, which are texts, or lengths of bars."""
    places = (n for n, role in enumerate(roles) if role[0] == wanted)
    return next((n for n in places if wanted == "timeframe" or table.columns[n].kind == "O"), None)


def _only(places: tuple[int, ...] | None) -> int | None:
    return places[0] if places else None


def _groups(table: RawTable, roles: Sequence[tuple[str, str]]) -> list[str | None]:
    """Markets that the headers name beside open, high, low and close: one a column of closes; [None] without."""
    names: list[str | None] = []
    for column, role in zip(table.columns, roles, strict=True):
        if role[0] == "close" and len(column.heads) > 1:
            others = [head for head in column.heads if head and role_of(head) is None]
            if len(others) == 1:
                names.append(others[0])
    return names or [None]


def _once(table: RawTable, role: str, found: list[int], attempted: str) -> int | None:
    if len(found) > 1:
        names = [plain(table.columns[n].name) for n in found]
        if len(set(names)) < len(names):
            raise DataError(
                attempted,
                found=f"{role} twice in the columns {', '.join(table.columns[n].name for n in found)}",
                expected="each column once",
                remedy=f"Name the one that counts, such as `columns`: {role}={found[0] + 1}.",
            )
        found.sort(key=lambda n: plain(table.columns[n].name) != role)
    return found[0] if found else None


def _by_position(table: RawTable, attempted: str, *, volume: bool) -> Layout:
    """Columns of a table without a header: time, open, high, low, close, volume, as in the exchanges' archives."""
    start = next((n for n, column in enumerate(table.columns[:4]) if is_time(column)), None)
    if start is None:
        raise _missing(table, [("", "")] * len(table.columns), attempted, list(VALUES), ())
    clock = start + 1 < len(table.columns) and is_clock(table.columns[start + 1])
    time = (start, start + 1) if clock else (start,)
    places = range(time[-1] + 1, len(table.columns))
    needed = VALUES if volume else PRICES
    if len(places) < len(needed):
        if len(places) == len(PRICES):
            raise _missing(table, [("", "")] * len(table.columns), attempted, ["volume"], time)
        raise DataError(
            attempted,
            found=f"rows of {len(table.columns)} values and no header",
            expected="time, open, high, low, close and volume",
            remedy="Add a first line with the names of the columns.",
        )
    symbol = next((n for n in range(start) if table.columns[n].kind == "O"), None)
    # A mean price is told from a volume where there is one to be told from.
    spare = [place for place in places[len(needed) : MOST] if volume and _is_number(table.columns[place])]
    known = places[: len(needed)]
    return Layout(time, {None: dict(zip(needed, known, strict=True))}, symbol, ticks=clock, loose=(*known, *spare))


def _is_number(column: TableColumn) -> bool:
    return column.kind in "fi" or (column.kind == "O" and all(map(is_number_text, filter(None, column.values))))


def _missing(
    table: RawTable, roles: Sequence[tuple[str, str]], attempted: str, missing: list[str], time: tuple[int, ...]
) -> UnclearTableError:
    """The error for a table that lacks columns."""
    shown = f"the columns {', '.join(table.names[:12]) or 'none'}"
    known = {role for role, _ in roles}
    if time and missing == ["volume"]:
        question = OpenQuestion(f"no volume in its columns: {', '.join(table.names[:12])}", "download", "")
    elif (
        time
        and missing != list(VALUES)
        and ("price" in known or "close" in known)
        and {"open", "high", "low"} <= {*missing}
    ):
        question = OpenQuestion(f"prices of single moments, without open, high and low: {shown}", "download", "")
    else:
        lacking = ", ".join([*([] if time else ["time"]), *missing])
        question = OpenQuestion(
            f"no {lacking} in its columns: {', '.join(table.names[:12]) or 'none'}", "columns", _guess(table, roles)
        )
    expected = "open time, open, high, low, close and volume of each bar"
    return UnclearTableError.of(attempted, [question], expected=expected, remedy=_REMEDIES[question.option])


_REMEDIES = {
    "download": "Export the other columns too; without them there are no features and no fills.",
    "columns": "Say which column is which with `columns`.",
}


def _guess(table: RawTable, roles: Sequence[tuple[str, str]]) -> str:
    """What `columns` may be: known names, then dates and numbers in the order that candles usually have."""
    places: dict[str, int] = {}
    for number, (role, _) in enumerate(roles):
        places.setdefault("date" if role in _TIMES else role, number)
    rest = [n for n in range(len(table.columns)) if n not in places.values() or not roles[n][0]]
    if "date" not in places:
        dates = [n for n in rest if is_time(table.columns[n])]
        if dates:
            places["date"] = dates[0]
            rest.remove(dates[0])
    numbers = iter([n for n in rest if table.columns[n].kind in "fi" and plain(table.columns[n].name) not in _INDEX])
    texts = iter([n for n in rest if table.columns[n].kind == "O" and n not in places.values()])
    for role in VALUES:
        if role not in places:
            place = next(numbers, None)
            place = next(texts, None) if place is None else place
            if place is not None:
                places[role] = place
    names = table.names
    return ",".join(f"{role}={names[places[role]] if role in places else '...'}" for role in ("date", *VALUES))
