"""Other spellings of symbols and timeframes, and names of markets without a separator."""

from __future__ import annotations

import re
from collections.abc import Iterable

from quorate.core.errors import UnknownSymbolError
from quorate.market.files.names import file_stem, require_symbol

#: Quote currencies, longest first: BTCFDUSD is BTC in FDUSD, not BTCFD in USD.
QUOTES = tuple(
    sorted(
        (
            *("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "USD1", "DAI", "EURI", "BTC", "ETH", "BNB", "XRP"),
            *("TRX", "DOGE", "DOT", "SOL", "EUR", "GBP", "AUD", "TRY", "BRL", "ARS", "UAH", "RUB", "NGN", "ZAR"),
            *("PLN", "RON", "MXN", "COP", "CZK", "IDRT", "BIDR", "BVND", "BKRW", "VAI", "PAX", "UST", "JPY", "USD"),
        ),
        key=lambda quote: (-len(quote), quote),
    )
)

#: Coins that decide between two ways to cut a name, where only one way has such a base: DOTUSD is DOT/USD, not DO/TUSD.
#: AR and ARB both exist, so that ARBUSD stays ambiguous.
KNOWN_BASES = frozenset(
    (
        *("BTC", "ETH", "BNB", "XRP", "SOL", "DOGE", "ADA", "TRX", "DOT", "LTC", "BCH", "LINK", "AVAX", "XLM", "UNI"),
        *("ATOM", "ETC", "FIL", "NEAR", "APT", "SHIB", "MATIC", "BAT", "EOS", "XMR", "ALGO", "AAVE", "USDC", "USDT"),
    )
)

#: Names that some exchanges have for a coin -> its usual one.
OTHER_BASES = {"XBT": "BTC", "XXBT": "BTC", "XDG": "DOGE", "XXDG": "DOGE", "XETH": "ETH", "XLTC": "LTC", "XXRP": "XRP"}

# Kraken's older names: XXBTZUSD is XBT in USD.
_KRAKEN = re.compile(r"^X(XBT|XDG|ETH|LTC|XRP|XLM|XMR|ETC|ZEC|REP)Z(USD|EUR|GBP|JPY|CAD|AUD)$")

# What exchanges and charts append to the name of a perpetual.
_PERPETUAL = re.compile(r"[-_. ]?(?:P|PERP|SWAP|PERPETUAL)", re.IGNORECASE)
_TAIL = r"(?P<quote>[^\s/:_.-]+)(?P<rest>.*)"
_SEPARATED = (re.compile(rf"(?P<base>[^\s/:]+)/{_TAIL}"), re.compile(rf"(?P<base>[^\s/:_-]+)[_-]{_TAIL}"))

_LENGTH = re.compile(r"(?P<count>[1-9]\d{0,4}) ?(?P<unit>m|min|minutes?|h|hours?|d|days?|w|weeks?)", re.IGNORECASE)


def cuts(name: str) -> tuple[tuple[str, str], ...]:
    """Ways to cut a name without a separator into base and quote; those with a well-known base only, if there are any.

    >>> cuts("ETHUSDT"), cuts("DOTUSD"), cuts("ARBUSD")
    ((('ETH', 'USDT'),), (('DOT', 'USD'),), (('AR', 'BUSD'), ('ARB', 'USD')))
    """
    upper = name.upper()
    upper = _KRAKEN.sub(r"\1\2", upper)
    found = [
        (base_of(upper.removesuffix(quote)), quote) for quote in QUOTES if upper.endswith(quote) and upper != quote
    ]
    known = [cut for cut in found if cut[0] in KNOWN_BASES]
    return tuple(known if len(known) == 1 else found)


def base_of(text: str) -> str:
    """The usual name of a coin, in capitals.

    >>> base_of("xbt"), base_of("eth")
    ('BTC', 'ETH')
    """
    return OTHER_BASES.get(text.strip().upper(), text.strip().upper())


def normal_symbol(text: str, *, perpetual: bool | None = None) -> str:
    """Convert a symbol as users and other programs write it to ccxt's form.

    Letters that are all small become capitals; BTC-USDT and BTC_USDT are BTC/USDT; names that end in .P, -PERP or -SWAP
    are perpetuals; a name without a separator is cut where its quote begins; XBT is BTC; the name of an exchange
    before it, as in BINANCE:BTCUSDT.P, is left out.

    Args:
        text: of the user.
        perpetual: whether the market is a perpetual; None if the symbol says it, as BTC/USDT:USDT does.

    Raises:
        UnknownSymbolError: no symbol, or one that can be read in two ways.

    >>> normal_symbol("btc-usdt"), normal_symbol("BTC/USDT.P"), normal_symbol("BTCUSDT", perpetual=True)
    ('BTC/USDT', 'BTC/USDT:USDT', 'BTC/USDT:USDT')
    """
    name = re.sub(r"^[A-Za-z0-9]+:(?=[^/:]+$)", "", text.strip())  # BINANCE:BTCUSDT.P
    name = name.upper() if name == name.lower() else name
    if ":" in name:
        if perpetual is False:
            raise _refused(text, "a symbol of a perpetual, and spot", (name.partition(":")[0],))
        first, slash, rest = require_symbol(name).partition("/")
        return f"{OTHER_BASES.get(first, first)}{slash}{rest}"
    separated = next(filter(None, (form.fullmatch(name) for form in _SEPARATED)), None)
    if separated is not None:
        base, quote, rest = separated["base"], separated["quote"], separated["rest"]
    else:
        plain = re.fullmatch(r"(?P<name>[^\W_]+)(?P<rest>[-_.].*)?", name)
        ways = cuts(plain["name"]) if plain else ()
        if len(ways) != 1 or plain is None:
            raise _refused(text, repr(text[:80]), tuple(f"{base}/{quote}" for base, quote in ways))
        ((base, quote),), rest = ways, plain["rest"] or ""
        if perpetual is None and not rest:
            # BTCUSDT is the name of spot and of a perpetual alike.
            raise _refused(text, repr(text[:80]), (f"{base}/{quote}", f"{base}/{quote}:{quote}"))
    if rest and not _PERPETUAL.fullmatch(rest):
        raise _refused(text, repr(text[:80]), ())
    if rest and perpetual is False:
        raise _refused(text, "a symbol of a perpetual, and spot", (f"{base}/{quote}",))
    base = OTHER_BASES.get(base, base)
    return require_symbol(f"{base}/{quote}:{quote}" if rest or perpetual else f"{base}/{quote}")


def usual_symbol(text: str) -> str:
    """A symbol in ccxt's form where its spelling has one meaning, else the text as it is.

    >>> usual_symbol("btc-usdt"), usual_symbol("BTC/USDT.P"), usual_symbol("BTCUSDT"), usual_symbol("PEPE")
    ('BTC/USDT', 'BTC/USDT:USDT', 'BTCUSDT', 'PEPE')
    """
    try:
        return normal_symbol(text)
    except UnknownSymbolError:
        return text


def similar_symbols(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """Markets that a name may mean: those of the same pair or coin, also in lots of 1000.

    >>> similar_symbols("PEPE", ["1000PEPE/USDT:USDT", "PEOPLE/USDT:USDT"])
    ('1000PEPE/USDT:USDT',)
    """
    bare = re.sub(r"[^A-Z0-9/]", "", text.partition(":")[0].upper())
    coin, slash, _ = bare.partition("/")
    ways = {(coin, "")} if slash else {(bare, ""), *cuts(bare)}
    coins = {f"{lot}{base_of(base)}" for base, _ in ways for lot in ("", "1000", "1000000", "1M", "K")}
    return tuple(sorted(symbol for symbol in known if symbol.partition("/")[0].upper() in coins and symbol != text))


def normal_timeframe(text: str) -> str:
    """Convert a length of bars to the name that files have; a text that is none is returned as it is.

    >>> [normal_timeframe(text) for text in ("60m", "240m", "24h", "1H", "1min", "1 day", "7d", "1M")]
    ['1h', '4h', '1d', '1h', '1m', '1d', '7d', '1M']
    """
    match = _LENGTH.fullmatch(text.strip())
    if match is None or match["unit"] == "M":  # 1M is a month
        return text
    count, unit = int(match["count"]), match["unit"][0].lower()
    for smaller, size, larger in (("m", 60, "h"), ("h", 24, "d")):
        if unit == smaller and count % size == 0:
            count, unit = count // size, larger
    return f"{count}{unit}"


def same_market(name: str, symbol: str) -> bool:
    """Whether a name, as in the rows of a table, can be that of a market.

    >>> [same_market(name, "BTC/USDT:USDT") for name in ("BTCUSDT", "btc-usdt", "BINANCE:BTCUSDT.P", "XBTUSDT", "BTC")]
    [True, True, True, True, True]
    >>> [same_market(name, "BTC/USDT") for name in ("ETHUSDT", "BTCUSDC", "BTC/USDT:USDT", "ETH")]
    [False, False, False, False]
    """
    pair, _, settlement = symbol.partition(":")
    base, _, quote = pair.partition("/")
    text = name.strip()
    if "/" in text and ":" in text:
        return text.upper() == symbol.upper()
    plain = re.sub(r"[^\w]|_", "", text.rpartition(":")[2]).upper()
    names = {base.upper(), *(name for name, usual in OTHER_BASES.items() if usual == base)}
    ends = ("", settlement.upper(), "P", "PERP", "SWAP", "PERPETUAL") if settlement else ("",)
    return plain in names or any(plain == f"{name}{quote.upper()}{end}" for name in names for end in ends)


def same_name(symbols: Iterable[str]) -> tuple[str, str] | None:
    """Find two names of one market: spellings that differ in letters or separators, or that have the same file.

    Args:
        symbols: names of markets; equal ones are one.

    >>> same_name(["BTC/USDT", "ETH/USDT", "BTC/USDT:USDT"]), same_name(["BTC/USDT:USDT", "btc/usdt:usdt"])
    (None, ('BTC/USDT:USDT', 'btc/usdt:usdt'))
    """
    known: dict[str, str] = {}
    for symbol in dict.fromkeys(symbols):
        other = known.setdefault(_key(symbol), symbol)
        if other != symbol:
            return other, symbol
    # A name such as BTCUSDT leaves open where its quote begins, and whether it is spot.
    for symbol in (name for name in known.values() if re.fullmatch(r"[^\W_]+", name.strip())):
        for other in known.values():
            if other != symbol and "/" in other and same_market(symbol, other):
                return other, symbol
    return None


def _key(symbol: str) -> str:
    """The name of a market in its file, whatever its spelling."""
    text = symbol.strip().upper()
    try:
        return file_stem(normal_symbol(text))
    except UnknownSymbolError:
        return file_stem(text)


def _refused(text: str, found: str, guesses: tuple[str, ...]) -> UnknownSymbolError:
    return UnknownSymbolError(
        f"parse the symbol {text[:80]!r}",
        found=found,
        expected="ccxt's form, such as BTC/USDT for spot or BTC/USDT:USDT for a perpetual",
        remedy=f"Did you mean {' or '.join(guesses)}?" if guesses else "",
    )
