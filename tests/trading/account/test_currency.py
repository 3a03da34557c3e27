from collections.abc import Callable

import pytest

from quorate.core.errors import SettingsError, TradingError
from quorate.core.settings import AccountSettings
from quorate.trading import Account, Order
from quorate.trading.account.currency import account_currency, currencies, market_currency
from quorate.trading.backtest import backtest


@pytest.mark.parametrize(
    ("symbol", "currency"),
    [
        ("BTC/USDT", "USD"),
        ("BTC/USDC:USDC", "USD"),
        ("BTC/USD:USDC", "USD"),  # quoted in dollars, settled in a stablecoin
        ("BTC/USDT:USDT-251226", "USD"),
        ("BTC/FDUSD", "USD"),
        ("BTC/EUR", "EUR"),
        ("BTC/EURI", "EUR"),
        ("ETH/BTC", "BTC"),
        ("ETH/BTC:BTC", "BTC"),
    ],
)
def test_the_currency_of_a_market(symbol: str, currency: str) -> None:
    assert market_currency(symbol) == currency


@pytest.mark.parametrize("symbol", ["BTC/USD:BTC", "BTC/USD:BTC-251226", "ETH/USD:BTC", "BTC/EUR:USDT"])
def test_a_contract_that_is_not_linear_is_refused(symbol: str) -> None:
    with pytest.raises(TradingError, match=r"settles in .*\(inverse or quanto\); expected a linear contract"):
        account_currency([symbol], AccountSettings(currency=symbol.partition(":")[2].partition("-")[0]))


@pytest.mark.parametrize(
    ("symbols", "setting", "currency"),
    [
        ([], "", "USD"),
        (["BTC/USDT", "ETH/USDC:USDC", "SOL/BUSD"], "", "USD"),
        (["BTC/USDT"], "USDC", "USD"),
        (["BTC/EUR", "ETH/EUR"], "", "EUR"),
        (["BTC/EUR"], "EUR", "EUR"),
        (["ETH/BTC", "BNB/BTC"], "BTC", "BTC"),
    ],
)
def test_markets_of_one_currency(symbols: list[str], setting: str, currency: str) -> None:
    assert account_currency(symbols, AccountSettings(currency=setting)) == currency


@pytest.mark.parametrize(
    ("symbols", "setting", "message"),
    [
        (["BTC/USDT", "ETH/BTC"], "", "BTC/USDT quoted in USD, ETH/BTC quoted in BTC; expected markets quoted in one"),
        (["BTC/EUR", "BTC/USDT"], "", "BTC/EUR quoted in EUR, BTC/USDT quoted in USD"),
        (["ETH/BTC"], "", 'an account in dollars: found ETH/BTC quoted in BTC; .* `account.currency` to "BTC"'),
        (["BTC/USDT", "ETH/EUR"], "USDT", "account in USDT: found BTC/USDT quoted in USD, ETH/EUR quoted in EUR"),
        (["BTC/EUR"], "USDT", "keep an account in USDT: found BTC/EUR quoted in EUR"),
        (["BTC/USDT"], "BTC", "keep an account in BTC"),
        (["BTC"], "", "BTC quoted in no currency"),
    ],
)  # fmt: skip
def test_other_markets_are_refused(symbols: list[str], setting: str, message: str) -> None:
    with pytest.raises(TradingError, match=message):
        account_currency(symbols, AccountSettings(currency=setting))


def test_an_account_opens_no_position_in_a_second_currency(order: Callable[..., Order]) -> None:
    account = Account()
    assert account.open(order("ETH/USDC:USDC"), 0, 100.0) is not None
    with pytest.raises(TradingError, match="BTC/EUR quoted in EUR"):
        account.open(order("BTC/EUR"), 0, 100.0)
    assert account.cash_usd == pytest.approx(1_000 - account.positions["ETH/USDC:USDC"].entry.fee_usd)


@pytest.mark.parametrize("currency", ["eur", "US$", "a b"])
def test_what_is_no_currency(currency: str) -> None:
    with pytest.raises(SettingsError, match=r"account\.currency"):
        AccountSettings(currency=currency)


def test_a_backtest_says_its_currency_or_refuses(candles: Callable[..., object], frame: Callable[..., object]) -> None:
    def run(*symbols: str, currency: str = "") -> str:
        markets = {symbol: candles(symbol=symbol) for symbol in symbols}
        frames = {symbol: frame(market, {}) for symbol, market in markets.items()}
        settings = AccountSettings(currency=currency)
        result = backtest(frames, markets, {}, horizon=5, account=settings)  # type: ignore[arg-type]
        assert result.to_json()["currency"] == result.currency
        return result.currency

    assert run("BTC/USDT", "ETH/USDC") == "USD"
    assert run("BTC/EUR") == "EUR"
    assert run("ETH/BTC", currency="BTC") == "BTC"
    for mixed in (("BTC/EUR", "BTC/USDT"), ("ETH/BTC", "BTC/USDT"), ("BTC/USD:BTC",)):
        with pytest.raises(TradingError):
            run(*mixed)


def test_the_currencies_of_an_account_of_an_earlier_version() -> None:
    assert currencies(["BTC/USDT", "ETH/USDC"]) == "USD"
    assert currencies(["BTC/USDT", "ETH/BTC"]) == "BTC and USD"
