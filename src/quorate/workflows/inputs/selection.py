"""Markets, timeframe and span: the arguments that several workflows share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from quorate.core.clock import DAY_MS, parse_ms, timeframe_ms
from quorate.core.errors import ArgumentError, QuorateError
from quorate.core.settings import Settings
from quorate.market.files.names import is_perpetual
from quorate.market.files.spellings import normal_timeframe, same_name, usual_symbol
from quorate.market.source import CandleSource
from quorate.workflows.inputs.arguments import require_count, require_timeframe_text

if TYPE_CHECKING:
    from quorate.ensemble.inference import Predictor
    from quorate.workflows.inputs.market_data import Data

#: A point in time: ISO text, ms since 1970, or a date; without a time zone it is UTC.
Moment = str | int | datetime | date

DEFAULT_TIMEFRAME = "1h"


class Selection(TypedDict, total=False):
    """Keyword arguments that select markets and a span; None is the same as leaving one out.

    Attributes:
        symbols: markets in order, as a sequence or a text with commas; ccxt's names, such as "BTC/USDT:USDT".
        top: instead: the perpetuals with the most quote volume before `start`, so many.
        timeframe: length of a bar, such as "1h".
        start: first bar, inclusive; None for the first there is.
        end: exclusive; None for the end of the candles.
    """

    symbols: Sequence[str] | str | None
    top: int | None
    timeframe: str | None
    start: Moment | None
    end: Moment | None


@dataclass(frozen=True, slots=True)
class Markets:
    """A selection resolved against a source.

    Attributes:
        symbols: ccxt's names, in order, each once.
        timeframe: such as "1h".
        start: first bar in ms UTC, inclusive; None for the first there is.
        end: in ms UTC, exclusive; None for the end of the candles.
    """

    symbols: tuple[str, ...]
    timeframe: str
    start: int | None = None
    end: int | None = None


def open_selection(data: Data, selection: Selection, settings: Settings) -> tuple[CandleSource, Markets]:
    """The source of the candles and the markets selected from it; arguments are checked before anything is read.

    Raises:
        ArgumentError, DataError: as `open_source` and `resolve`.
    """
    from quorate.workflows.inputs.market_data import open_source

    _require_markets(selection, needed=isinstance(data, str | Path))
    source = open_source(data, split_names(selection.get("symbols")), timeframe_of(selection))
    return source, resolve(source, selection, settings)


def resolve(source: CandleSource, selection: Selection, settings: Settings) -> Markets:
    """The markets, timeframe and span of a selection.

    Candles in memory need no `symbols` and no `timeframe`: they are all used, in the one timeframe that they have,
    unless some are spot and perpetual of one pair.

    Raises:
        ArgumentError: no markets, both `symbols` and `top`, `top` without `start`, a market under two names, spot and
            perpetual of one pair unnamed, a value of the wrong type, a date that cannot be read, or `start` not before
            `end`.
        UnknownTimeframeError: not a timeframe.
        TooLittleHistoryError: fewer than `top` markets were traded.
    """
    from quorate.market.memory import MemorySource

    _require_markets(selection, needed=not isinstance(source, MemorySource))
    start, end = span(selection)
    timeframe = timeframe_of(selection)
    if timeframe is None:
        timeframe = (source.timeframe if isinstance(source, MemorySource) else None) or DEFAULT_TIMEFRAME
    timeframe_ms(timeframe)
    named, top = split_names(selection.get("symbols")), selection.get("top")
    if top is not None and start is not None:
        from quorate.market import universe

        named = universe.top(source, timeframe, top, start, settings=settings.universe)
    return Markets(named or _of_one_kind(source.symbols(timeframe)), timeframe, start, end)


def _of_one_kind(symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Markets that nobody named, unless some are spot and perpetual of one pair.

    Their prices are the same, so that every row would be learned from and measured twice.

    Raises:
        ArgumentError: they are.
    """
    spot = {symbol for symbol in symbols if ":" not in symbol}
    both = [symbol for symbol in symbols if is_perpetual(symbol) and symbol.partition(":")[0] in spot]
    if both:
        more = f" and {len(both) - 1} other pairs" if both[1:] else ""
        raise ArgumentError(
            "use all markets of `data`",
            found=f"spot and perpetual of {both[0].partition(':')[0]}{more}",
            expected="one of the two kinds",
            remedy="Name the markets with `symbols`.",
        )
    return symbols


def resolve_for_bundle(
    source: CandleSource, bundle: Predictor, selection: Selection, *, allow: bool = False
) -> Markets:
    """The markets and span of a selection, in the timeframe of a bundle.

    Without `symbols`: every market of the source of the kind the bundle was trained on, perpetuals or spot. Without
    `start`: as `span_for_bundle`.

    Args:
        source: of the candles.
        bundle: that decides.
        selection: of markets and span.
        allow: whether bars of the training span may be used.

    Raises:
        ArgumentError: `top` or another timeframe than the bundle's, a date that cannot be read, or `start` not before
            `end`.
    """
    from quorate.workflows.inputs.market_data import same_kind
    from quorate.workflows.inputs.predictors import require_timeframe

    start, end = span_for_bundle(bundle, selection, allow=allow)
    if selection.get("top") is not None:
        raise ArgumentError("select the markets", found="`top` with a trained bundle", expected="`symbols`, or neither")
    require_timeframe(bundle, selection.get("timeframe"))
    symbols = split_names(selection.get("symbols")) or same_kind(source, bundle)
    return Markets(symbols, bundle.manifest.timeframe, start, end)


def span(selection: Selection) -> tuple[int | None, int | None]:
    """`start` and `end` of a selection in ms UTC.

    Raises:
        ArgumentError: a date that cannot be read, or `start` not before `end`.
    """
    start, end = (moment_ms(name, selection.get(name)) for name in ("start", "end"))
    if start is not None and end is not None and start >= end:
        raise ArgumentError("select the span", found="`start` at or after `end`", expected="`start` before `end`")
    return start, end


def span_for_bundle(bundle: Predictor, selection: Selection, *, allow: bool) -> tuple[int | None, int | None]:
    """`start` and `end` of a selection in ms UTC; `start` is the first bar after the training where none is given.

    Not where `end` lies before it: the span then is what came before the training.

    Args:
        bundle: that decides.
        selection: of markets and span.
        allow: whether bars of the training span may be used, so that the span begins with the first one.

    Raises:
        ArgumentError: a date that cannot be read, or `start` not before `end`.
    """
    start, end = span(selection)
    if start is None and not allow:
        first = bundle.manifest.training_end if bundle.first_bar is None else bundle.first_bar
        if end is None or end > first:
            return first, end
    return start, end


def _require_markets(selection: Selection, *, needed: bool) -> None:
    """Refuse arguments that select no markets, or select them in two ways."""
    start, _ = span(selection)
    named, top, timeframe = split_names(selection.get("symbols")), selection.get("top"), selection.get("timeframe")
    require_count("top", top)
    require_timeframe_text(timeframe)
    if (named and top is not None) or (needed and not named and top is None):
        found = "both `symbols` and `top`" if named else "neither `symbols` nor `top`"
        raise ArgumentError("select the markets", found=found, expected="either `symbols` or `top`")
    if top is not None and start is None:
        raise ArgumentError(
            "select the markets",
            found="`top` without `start`",
            expected="`start`: markets are ranked by their volume before it",
        )


def split_names(names: Sequence[str] | str | None, argument: str = "symbols") -> tuple[str, ...]:
    """Names, of markets or models, given as a sequence or as a text with commas, each once, in order.

    Other spellings of markets are returned in ccxt's form where they have one meaning.

    Args:
        names: None is the same as none.
        argument: its name, for the error.

    Raises:
        ArgumentError: neither text nor a sequence of texts, or two spellings of one market.

    >>> split_names("BTC/USDT, ETH/USDT,BTC/USDT")
    ('BTC/USDT', 'ETH/USDT')
    """
    parts: Any = names.split(",") if isinstance(names, str) else () if names is None else names
    # Neither the keys of a mapping nor the columns of a frame are meant as names.
    texts = list(parts) if isinstance(parts, Iterable) and not hasattr(parts, "keys") else [parts]
    if not all(isinstance(text, str) for text in texts):
        raise ArgumentError(
            f"use `{argument}`", found=repr(names), expected="a text with commas, or a sequence of texts"
        )
    found = tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
    twice = same_name(found) if argument == "symbols" else None
    if twice is not None:
        raise ArgumentError(
            f"use `{argument}`",
            found=f"{twice[0]} and {twice[1]}, two names of one market",
            expected="each market once",
            remedy="Name it once, in ccxt's form: BTC/USDT for spot, BTC/USDT:USDT for a perpetual.",
        )
    return tuple(map(usual_symbol, found)) if argument == "symbols" else found


def timeframe_of(selection: Selection) -> str | None:
    """The timeframe of a selection under its usual name: 60m is 1h.

    Raises:
        ArgumentError: no text.
    """
    timeframe = selection.get("timeframe")
    require_timeframe_text(timeframe)
    return None if timeframe is None else normal_timeframe(timeframe)


def moment_ms(name: str, moment: object) -> int | None:
    """A point in time as ms UTC; None stays None.

    Args:
        name: of the argument, for the error.
        moment: see `Moment`.

    Raises:
        ArgumentError: not a date.

    >>> moment_ms("start", "2025-05-01"), moment_ms("start", date(2025, 5, 1))
    (1746057600000, 1746057600000)
    """
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)
    if isinstance(moment, date):
        return round(datetime.combine(moment, time(), UTC).timestamp() * 1000)
    if isinstance(moment, int) and not isinstance(moment, bool):
        return moment
    if moment is None:
        return None
    try:
        if isinstance(moment, str):
            return parse_ms(moment)
    except QuorateError as error:
        raise ArgumentError(f"use `{name}`", found=error.found, expected=error.expected) from error
    raise ArgumentError(f"use `{name}`", found=repr(moment), expected="ISO text, ms since 1970, or a date, in UTC")


def period_ms(name: str, period: str | timedelta) -> int:
    """A number of whole days in ms, from a text such as 30d or 4w, or a timedelta.

    Args:
        name: of the argument, for the error.
        period: above zero.

    Raises:
        ArgumentError: anything else.

    >>> period_ms("every", "4w") // DAY_MS, period_ms("every", timedelta(days=30)) // DAY_MS
    (28, 30)
    """
    if isinstance(period, timedelta):
        if period > timedelta() and not period % timedelta(days=1):
            return period.days * DAY_MS
    elif match := re.fullmatch(r"([1-9]\d{0,4})([dw])", str(period)):
        return int(match[1]) * DAY_MS * (7 if match[2] == "w" else 1)
    raise ArgumentError(
        f"use `{name}`", found=repr(period), expected="a number of days or weeks above 0, such as 30d or 4w"
    )
