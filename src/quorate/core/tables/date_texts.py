"""Dates and times as people and spreadsheets write them; the order of day and month is decided by the whole column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import NamedTuple

import numpy as np

from quorate.core.types.arrays import BoolArray, IntArray
from quorate.core.types.times import NO_TIME

DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()

# The first letters of months, without accents: English, German, French, Spanish, Italian, Portuguese, Dutch, Russian,
# Polish, Turkish, Swedish.
_MONTHS = (
    *(
        "jan gen ene янв oca sty",
        "feb fev fevr febr фев sub lut",
        "mar mrz marz maart mrt мар",
        "apr avr abr апр nis kwi",
    ),
    *(
        "may mai mag maj mei мая маи май",
        "jun juin giu июн haz cze",
        "jul juil lug июл tem lip",
        "aug ago aou aout авг agu sie",
    ),
    *("sep set сен eyl wrz", "oct okt ott out окт eki paz", "nov noi ноя kas lis", "dec dez dic дек ara gru"),
)
_BEFORE_NOON = r"a\.?\s?m\.?|上午|午前|오전|öö"
_AFTER_NOON = r"p\.?\s?m\.?|下午|午後|오후|ös"
_DATE = re.compile(
    r"(?P<y>\d{4})\s?[-./年년]\s?(?P<m>\d{1,2})\s?[-./月월]\s?(?P<d>\d{1,2})(?:[日일.](?!\d))?"
    r"|(?P<a>\d{1,2})(?P<sep>[-./])\s?(?P<b>\d{1,2})[-./]\s?(?P<c>\d{4}|\d{2})"
    r"|(?P<Y>(?:19|20)\d{2})(?P<M>\d{2})(?P<D>\d{2})"
    r"|(?P<d1>\d{1,2})(?:\.|º|er|st|nd|rd|th)?[-\s]+(?:de\s+)?(?P<n1>[^\W\d_]{3,})\.?,?[-\s]+(?:de\s+)?(?P<y1>\d{4}|\d{2})(?:\s?\u0433\.?)?"
    r"|(?P<n2>[^\W\d_]{3,})\.?\s+(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y2>\d{4})",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    rf"(?:(?P<half0>{_BEFORE_NOON}|{_AFTER_NOON})\s*)?"
    r"(?:(?P<h>\d{1,2})\s?[:.h時시时]\s?(?P<mi>\d{2})(?:[:.分분](?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"|(?P<H>\d{2})(?P<MI>\d{2})(?P<S>\d{2})?|(?P<h2>\d{1,2})(?=[-\s]?[ap]\.?\s?m|h$))"
    rf"(?:h|[-\s]*(?P<half>{_BEFORE_NOON}|{_AFTER_NOON}))?",
    re.IGNORECASE,
)
_ZONE = re.compile(
    r"(?:Z|(?:UTC|GMT)?(?P<sign>[-+])(?P<zh>\d{1,2}):?(?P<zm>\d{2})?|UTC|GMT|Etc/UTC)(?:\s*\(.*\))?", re.IGNORECASE
)
_WEEKDAY = re.compile(r"^(?:[^\W\d_]{2,10})\.?,?\s+(?=[^\W\d_]|\d)")


class _Parts(NamedTuple):
    """Numbers of a date, in the order in which they are written where `sep` is not empty."""

    first: int
    second: int
    third: int
    sep: str = ""
    short: bool = False  # of two digits, the year


@dataclass(frozen=True, slots=True, eq=False)
class DateTexts:
    """Parsed dates.

    Attributes:
        time: (n,) int64 ms; UTC where `zoned`, else of an unnamed zone; `NO_TIME` for empty texts.
        zoned: (n,) bool, whether the text states its zone.
        wrong: the first row that is no date; None without one.
        order: of days and months, as used: "dmy", "mdy" or "ymd".
        unclear: days and months could be either.
    """

    time: IntArray
    zoned: BoolArray
    wrong: int | None = None
    order: str = "ymd"
    unclear: bool = False


def parse_dates(texts: Sequence[str | None], order: str | None = None) -> DateTexts:
    """Parse a column of dates, with or without times of day.

    Args:
        texts: None for an empty cell.
        order: "dmy", "mdy" or "ymd" for dates such as 01/05/2025, or a format of `datetime.strptime`; None to decide it
            by the whole column. Dates with points, such as 01.05.2025, begin with the day.

    >>> from quorate.core.clock import format_ms
    >>> parsed = parse_dates(["05/01/2025 11:30 PM", "05/13/2025 12:00 AM"])
    >>> [format_ms(int(time)) for time in parsed.time], parsed.order
    (['2025-05-01 23:30', '2025-05-13 00:00'], 'mdy')
    >>> parse_dates(["01/05/2025", "02/05/2025"]).unclear
    True
    """
    if order is not None and "%" in order:
        return _by_format(texts, order)
    rows = [None if text is None else _split(" ".join(text.split())) for text in texts]
    parts = {row[0] for row in rows if isinstance(row, tuple)}
    wrong = next((number for number, row in enumerate(rows) if row is False), None)
    if wrong is not None:
        return DateTexts(*_empty(len(rows)), wrong=wrong)
    decided = order or _order(parts)
    days = {part: _day(part, decided or "dmy") for part in parts}
    time, zoned = _empty(len(rows))
    for number, row in enumerate(rows):
        if isinstance(row, tuple):
            day = days[row[0]]
            if day is None:
                return DateTexts(*_empty(len(rows)), wrong=number, order=decided or "dmy")
            time[number] = day * DAY_MS + row[1] - (row[2] or 0)
            zoned[number] = row[2] is not None
    return DateTexts(time, zoned, order=decided or "dmy", unclear=decided is None)


def clock_ms(text: str) -> int | None:
    """A time of day in ms since midnight; None for another text.

    >>> clock_ms("23:30"), clock_ms("11:30:15 PM"), clock_ms("233015"), clock_ms("11-PM"), clock_ms("25:00")
    (84600000, 84615000, 84615000, 82800000, None)
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hour = int(match["h"] or match["H"] or match["h2"])
    minute, second = int(match["mi"] or match["MI"] or 0), int(match["s"] or match["S"] or 0)
    half = match["half0"] or match["half"]
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if re.fullmatch(_AFTER_NOON, half, re.IGNORECASE) else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = int((match["f"] or "0").ljust(9, "0")) // 1_000_000
    return ((hour * 60 + minute) * 60 + second) * 1000 + fraction


@cache
def _split(text: str) -> tuple[_Parts, int, int | None] | bool | None:
    """Date, ms since midnight and offset of the zone in ms; None for an empty text, False for another one."""
    if not text or text == "-":
        return None
    match = _DATE.match(text)
    if match is None:
        weekday = _WEEKDAY.match(text)
        return _split(text[weekday.end() :]) if weekday else False
    parts = _parts(match)
    rest = text[match.end() :].lstrip("T, ").strip()
    if parts is None:
        weekday = _WEEKDAY.match(text)
        return _split(text[weekday.end() :]) if weekday else False
    clock, offset = 0, None
    if rest:
        found = _CLOCK.match(rest)
        if found is not None:
            moment = clock_ms(found[0])
            if moment is None:
                return False
            clock, rest = moment, rest[found.end() :].strip()
        if rest:
            zone = _ZONE.fullmatch(rest)
            if zone is None:
                return False
            offset = (int(zone["zh"] or 0) * 60 + int(zone["zm"] or 0)) * 60_000 * (-1 if zone["sign"] == "-" else 1)
    return parts, clock, offset


def _parts(match: re.Match[str]) -> _Parts | None:
    for year, month, day in (("y", "m", "d"), ("Y", "M", "D")):
        if match[year]:
            return _Parts(int(match[year]), int(match[month]), int(match[day]))
    if match["a"]:
        return _Parts(int(match["a"]), int(match["b"]), int(match["c"]), match["sep"], len(match["c"]) == 2)
    name, number, year = (
        (match["n1"], match["d1"], match["y1"]) if match["n1"] else (match["n2"], match["d2"], match["y2"])
    )
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", name.casefold()) if letter.isalpha())
    found = next((place for place, names in enumerate(_MONTHS, 1) if bare.startswith(tuple(names.split()))), None)
    return None if found is None else _Parts(int(year) + (2000 if len(year) == 2 else 0), found, int(number))


def _order(parts: Iterable[_Parts]) -> str | None:
    """Order of day and month that all dates allow; None where both are possible and differ."""
    loose = [part for part in parts if part.sep]
    if not loose:
        return "ymd"
    if all(part.short and part.first > 31 for part in loose):
        return "ymd"
    possible = [order for order in ("dmy", "mdy") if all(_day(part, order) is not None for part in loose)]
    if "dmy" in possible and all(part.sep == "." for part in loose):
        return "dmy"
    if len(possible) == 2 and any(part.first != part.second for part in loose):
        return None
    return possible[0] if possible else "dmy"


def _day(part: _Parts, order: str) -> int | None:
    """Days since 1970; None for no date."""
    if not part.sep:
        year, month, day = part.first, part.second, part.third
    elif order == "mdy":
        year, month, day = part.third, part.first, part.second
    elif order == "ymd":
        year, month, day = part.first, part.second, part.third
    else:
        year, month, day = part.third, part.second, part.first
    try:
        return date(year + (2000 if part.sep and part.short else 0), month, day).toordinal() - _EPOCH
    except ValueError:
        return None


def _by_format(texts: Sequence[str | None], form: str) -> DateTexts:
    time, zoned = _empty(len(texts))
    for row, text in enumerate(texts):
        if not text:
            continue
        try:
            moment = datetime.strptime(" ".join(text.split()), form)
        except ValueError:
            return DateTexts(time, zoned, wrong=row, order=form)
        zoned[row] = moment.tzinfo is not None
        time[row] = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    return DateTexts(time, zoned, order=form)


def _empty(rows: int) -> tuple[IntArray, BoolArray]:
    return np.full(rows, NO_TIME), np.zeros(rows, dtype=np.bool_)
