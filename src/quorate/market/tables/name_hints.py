"""What the name of a file suggests about its market."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from quorate.market.files.spellings import KNOWN_BASES, OTHER_BASES, QUOTES, cuts, normal_timeframe

_TRADINGVIEW = re.compile(r"(?P<exchange>[A-Z0-9]+)_(?P<name>[^,\s]+), (?P<length>\w+?)(?:_[0-9a-f]{3,})?(?: \(\d+\))?")
_PARTS = re.compile(r"[^\w]+|_+")
_PERPETUAL = frozenset(["p", "perp", "perps", "perpetual", "swap", "futures", "um", "linear", "usdm", "usdtm"])
_SPOT = frozenset(["spot", "kraken", "coinbase", "bitstamp", "gemini", "investing"])
_WORDS = {
    "hourly": "1h",
    "hour": "1h",
    "daily": "1d",
    "day": "1d",
    "d": "1d",
    "minute": "1m",
    "weekly": "1w",
    "week": "1w",
}
# Minutes that names of MetaTrader, TradingView and Kraken end in.
_MINUTES = frozenset((1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 10080))
_COINS = {
    "bitcoin": "BTC",
    "ethereum": "ETH",
    "litecoin": "LTC",
    "dogecoin": "DOGE",
    "cardano": "ADA",
    "solana": "SOL",
    "ripple": "XRP",
    "xrp": "XRP",
    "bitcoincash": "BCH",
    "polkadot": "DOT",
    "chainlink": "LINK",
    "tron": "TRX",
}
_FIAT = frozenset(("USD", "EUR", "GBP", "JPY", "AUD", "TRY", "BRL", "KRW"))


@dataclass(frozen=True, slots=True)
class NameHints:
    """What a name suggests; nothing in it is certain.

    Attributes:
        pairs: ways to read a pair of base and quote; none without a pair.
        base: the coin, where the quote is not in the name.
        perpetual: whether it is a perpetual; None if the name does not say it.
        timeframe: of the bars; None likewise.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    base: str = ""
    perpetual: bool | None = None
    timeframe: str | None = None


def name_hints(stem: str) -> NameHints:
    """Read the name of a file without its ending.

    >>> name_hints("BINANCE_BTCUSDT.P, 60")
    NameHints(pairs=(('BTC', 'USDT'),), base='', perpetual=True, timeframe='1h')
    >>> name_hints("BTCUSD1440").pairs, name_hints("BTCUSD1440").timeframe, name_hints("Bitcoin Historical Data").base
    ((('BTC', 'USD'),), '1d', 'BTC')
    """
    chart = _TRADINGVIEW.fullmatch(stem)
    if chart is not None:
        name = chart["name"].removesuffix(".P")
        length = chart["length"]
        frame = _minutes(length) if length.isdecimal() else _length(length if length[0].isdecimal() else f"1{length}")
        return NameHints(cuts(name), "", chart["name"].endswith(".P"), frame)
    parts = [part for part in _PARTS.split(stem) if part]
    words = [part.lower() for part in parts]
    perpetual = True if _PERPETUAL & {*words} else False if _SPOT & {*words} else None
    frame = next(filter(None, map(_length, parts)), None)
    for first, second in pairwise(parts):
        if second.upper() in QUOTES and _is_base(first):
            place = parts.index(second)
            doubled = parts[place + 1 : place + 2] == [second]
            kind = True if doubled else bool(perpetual)
            return NameHints(((_base(first), second.upper()),), "", kind, frame)
    for part in parts:
        match = re.fullmatch(r"(?P<pair>\w*?[A-Za-z])(?P<minutes>\d{1,5})?", part)
        if match is None:
            continue
        minutes = match["minutes"] or ""
        length = _minutes(minutes) if minutes else None
        if minutes and length is None:
            continue
        ways = tuple(way for way in cuts(match["pair"]) if _is_pair(way, part))
        if ways:
            fiat = perpetual is None and all(quote in _FIAT for _, quote in ways)
            return NameHints(ways, "", False if fiat else perpetual, length or frame)
    coin = next((_COINS.get(word, "") or _known(word) for word in words if word in _COINS or _known(word)), "")
    return NameHints((), coin, perpetual, frame)


def _length(part: str) -> str | None:
    """A timeframe in the words of several programs: 1h, H1, M15, 60, daily."""
    if part.lower() in _WORDS:
        return _WORDS[part.lower()]
    swapped = re.fullmatch(r"([MHDW])(\d{1,3})", part)
    text = f"{swapped[2]}{swapped[1].lower()}" if swapped else part
    if re.fullmatch(r"[1-9]\d{0,4}(m|min|minutes?|h|hr|hours?|d|days?|w|weeks?|H|D|W)", text):
        return normal_timeframe(text.replace("hr", "h"))
    return _minutes(text)


def _minutes(text: str) -> str | None:
    return normal_timeframe(f"{text}m") if text.isdecimal() and int(text) in _MINUTES else None


def _known(word: str) -> str:
    base = _base(word)
    return base if base in KNOWN_BASES and base not in ("USDT", "USDC", "NEAR", "LINK", "DOT") else ""


def _base(text: str) -> str:
    return OTHER_BASES.get(text.upper(), text.upper())


def _is_base(text: str) -> bool:
    """Whether a part before a quote can be a coin: a known one, or in capitals."""
    return _base(text) in KNOWN_BASES or (text == text.upper() and text[0].isalnum() and not text.isdecimal())


def _is_pair(way: tuple[str, str], part: str) -> bool:
    return way[0] in KNOWN_BASES or (part.upper() == part and len(way[0]) > 1)
