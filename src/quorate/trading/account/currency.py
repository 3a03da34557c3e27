"""Currency of an account: all its markets settle in one, since nothing is converted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from quorate.core.errors import TradingError

if TYPE_CHECKING:
    from quorate.core.settings import AccountSettings

# Stablecoins count as the currency that they stand for, at a rate of 1.
_SAME = {
    "USD": (
        *("AUSD", "BFUSD", "BUSD", "CUSD", "DAI", "FDUSD", "FRAX", "GUSD", "HUSD", "LUSD", "PYUSD", "RLUSD", "SUSD"),
        *("TUSD", "USD1", "USDC", "USDD", "USDE", "USDG", "USDP", "USDS", "USDT", "USDT0", "XUSD"),
    ),
    "EUR": ("AEUR", "EURA", "EURC", "EURI", "EURQ", "EURR", "EURS", "EURT"),
}
_CURRENCY = {coin: currency for currency, coins in _SAME.items() for coin in coins}

# Currencies in which an account is kept without a setting. An amount in any other, such as a bitcoin, is worth so much
# more or less than a dollar that the default settings cannot be meant for it.
_ORDINARY = frozenset(
    (
        *("AED", "ARS", "AUD", "BRL", "CAD", "CHF", "CLP", "COP", "CZK", "DKK", "EUR", "GBP", "GEL", "HKD", "HUF"),
        *("IDR", "ILS", "INR", "JPY", "KRW", "KZT", "MXN", "MYR", "NGN", "NOK", "NZD", "PEN", "PHP", "PLN", "RON"),
        *("RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR"),
    )
)

# "12.50 USD" from its space on, or "-$12.50".
_AMOUNT = re.compile(r"(?<=\d) USD\b|(-?)\$(\d[\d,]*(?:\.\d+)?)")


def market_currency(symbol: str) -> str:
    """Currency in which a market's results are counted, stablecoins as the currency that they stand for.

    Raises:
        TradingError: a contract that settles in another currency than it is quoted in: the account trades linear
            contracts only.

    >>> market_currency("BTC/USDT:USDT"), market_currency("BTC/EUR"), market_currency("ETH/BTC")
    ('USD', 'EUR', 'BTC')
    """
    quote, colon, settlement = _quote_and_settlement(symbol)
    currency = _CURRENCY.get(quote, quote)
    settled = settlement.partition("-")[0]
    if colon and _CURRENCY.get(settled, settled) != currency:
        raise TradingError(
            f"trade {symbol}",
            found=f"a contract quoted in {quote} that settles in {settled} (inverse or quanto)",
            expected="a linear contract, which settles in the currency that it is quoted in",
            remedy="Leave it out, or choose a linear market such as BTC/USDT:USDT.",
        )
    return currency


def account_currency(symbols: Iterable[str], account: AccountSettings) -> str:
    """Currency of an account that trades these markets: "USD" for dollars and their stablecoins.

    Args:
        symbols: of all its markets.
        account: `currency` is that of the account; empty for the one of the markets.

    Raises:
        TradingError: markets in another currency than the account's, in several, or a contract that is not linear.

    >>> from quorate.core.settings import AccountSettings
    >>> account_currency(["BTC/USDT", "ETH/USDC:USDC"], AccountSettings())
    'USD'
    """
    example: dict[str, str] = {}
    for symbol in sorted(symbols):
        example.setdefault(market_currency(symbol), symbol)
    wanted = _CURRENCY.get(account.currency, account.currency)
    found = ", ".join(f"{symbol} quoted in {currency or 'no currency'}" for currency, symbol in example.items())
    if wanted:
        if example.keys() - {wanted}:
            raise TradingError(
                f"keep an account in {account.currency}",
                found=found,
                expected=f"markets quoted in {account.currency}: amounts are not converted",
                remedy="Leave the other markets out, or set another `account.currency`.",
            )
        return wanted
    if len(example) > 1:
        raise TradingError(
            "keep one account",
            found=found,
            expected="markets quoted in one currency (USD and its stablecoins are one): amounts are not converted",
            remedy="Choose the markets of one currency with `symbols`.",
        )
    currency = next(iter(example), "USD")
    if currency not in _ORDINARY:
        raise TradingError(
            "keep an account in dollars",
            found=found,
            expected="markets quoted in a dollar, its stablecoins or another national currency",
            remedy=f'Set `account.currency` to "{currency}" and the amounts of [account], [guards] and [ladder] in it, '
            "or choose other markets.",
        )
    return currency


def currencies(symbols: Iterable[str]) -> str:
    """The currencies of these markets as text; of an account of an earlier version there may be several."""
    quotes = {_quote_and_settlement(symbol)[0] for symbol in symbols}
    return " and ".join(sorted({_CURRENCY.get(quote, quote) for quote in quotes}))


def in_currency(text: str, currency: str) -> str:
    """A text whose amounts, which records name USD or $, are named in the currency of their account.

    >>> in_currency("lost 20.00 USD, more than $15", "EUR")
    'lost 20.00 EUR, more than 15 EUR'
    """
    if currency == "USD":
        return text
    return _AMOUNT.sub(lambda found: f"{found[1] or ''}{found[2] or ''} {currency}", text)


def _quote_and_settlement(symbol: str) -> tuple[str, str, str]:
    """Quote, colon and settlement of a symbol; empty where it has none."""
    _, slash, rest = symbol.rpartition("/")
    return (rest if slash else "").partition(":")
