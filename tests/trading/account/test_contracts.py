"""The file of trading rules beside the candles."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.errors import TradingError, UnknownSymbolError
from quorate.core.settings import ExchangeSettings
from quorate.market import FreqtradeFolder, SyntheticMarket, write_candles
from quorate.market.exchange import Exchange
from quorate.trading import CONSERVATIVE_TIERS, Contract, MarginTiers, Tier
from quorate.trading.account.contracts import CONTRACTS_FILE, ask_contracts, read_contracts, write_contracts
from stubs.binance import BinanceStub

A = "SYNA/USDT:USDT"
BTC = Contract("BTC/USDT:USDT", 0.001, 0.1, 100.0, MarginTiers([Tier(3e5, 0.004, 125.0), Tier(math.inf, 0.5, 1.0)]))
ETH = Contract("ETH/USDT", 0.0001, 0.01, 5.0, minimum_amount=0.002)

RULES = '{"version": 1, "contracts": {"A/B": {"lot": LOT, "tick": 0, "minimum_usd": 0, "tiers": TIERS}}}'


def test_rules_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_contracts(tmp_path) == {}
    assert write_contracts(tmp_path, [BTC, ETH])
    found = read_contracts(tmp_path)
    assert found == {"BTC/USDT:USDT": BTC, "ETH/USDT": ETH}
    assert found["ETH/USDT"].tiers is CONSERVATIVE_TIERS


def test_rules_of_a_version_without_minimum_amounts(tmp_path: Path) -> None:
    (tmp_path / CONTRACTS_FILE).write_text(RULES.replace("LOT", "0.5").replace("TIERS", "null"), encoding="utf-8")
    assert read_contracts(tmp_path) == {"A/B": Contract("A/B", lot=0.5)}


def test_a_later_download_replaces_its_own_markets_and_no_others(tmp_path: Path) -> None:
    write_contracts(tmp_path, [BTC, ETH])
    written = (tmp_path / CONTRACTS_FILE).read_bytes()
    assert not write_contracts(tmp_path, [BTC])
    assert (tmp_path / CONTRACTS_FILE).read_bytes() == written
    assert write_contracts(tmp_path, [Contract("ETH/USDT", 0.1)])
    assert read_contracts(tmp_path) == {"BTC/USDT:USDT": BTC, "ETH/USDT": Contract("ETH/USDT", 0.1)}


@settings(max_examples=30)
@given(
    steps=st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
    rows=st.lists(st.tuples(st.floats(1, 1e9), st.floats(1e-4, 0.4)), max_size=5, unique_by=lambda row: row[0]),
)
def test_any_rules_survive_the_file(
    tmp_path_factory: pytest.TempPathFactory, steps: list[float], rows: list[tuple[float, float]]
) -> None:
    folder = tmp_path_factory.mktemp("rules")
    maintenance = sorted(row[1] for row in rows)
    tiers = [Tier(most, kept, 1.0) for (most, _), kept in zip(sorted(rows), maintenance, strict=True)]
    contract = Contract("X/USDT:USDT", *steps, MarginTiers(tiers) if tiers else CONSERVATIVE_TIERS)
    write_contracts(folder, [contract])
    assert read_contracts(folder)["X/USDT:USDT"] == contract


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1, column 2"),
        ("[" * 100_000, "inside each other"),
        ('{"version": 1e999}', "not finite"),
        ('{"version": 1, "contracts": {"A/B": {"lot": ' + "9" * 400 + "}}}", "400 digits"),
        ('{"version": 1, "contracts": {"\\ud800": {}}}', "surrogate"),
        ("[]", "TypeError"),
        ('{"version": 2, "contracts": {}}', "version 2; expected version 1"),
        ('{"version": 1}', "KeyError"),
        ('{"version": 1, "contracts": {"A/B": {}}}', "KeyError"),
        (
            '{"version": 1, "contracts": {"A/B": {"lot": -1, "tick": 0, "minimum_usd": 0, "tiers": null}}}',
            "the lot of A/B",
        ),
        (
            '{"version": 1, "contracts": {"A/B": {"lot": 0, "tick": 0, "minimum_usd": 0, "tiers": [[1, 2]]}}}',
            "ValueError",
        ),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / CONTRACTS_FILE).write_text(text)
    with pytest.raises(TradingError, match=words):
        read_contracts(tmp_path)
    with pytest.raises(TradingError, match=words):
        write_contracts(tmp_path, [BTC])


def test_it_is_no_market_and_no_number_is_written_that_json_does_not_know(tmp_path: Path) -> None:
    write_contracts(tmp_path, [BTC])
    assert list(FreqtradeFolder(tmp_path).files()) == []
    json.loads((tmp_path / CONTRACTS_FILE).read_text(), parse_constant=pytest.fail)


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Callable[[str], Exchange]]:
    """A client of a local exchange with two markets; its own each time, since keys are read when it is made."""
    market = SyntheticMarket(seed=3, symbols=1, bars=60)
    market.write(tmp_path / "served")
    candles = market.candles(A)
    write_candles(tmp_path / "served", replace(candles, symbol="SYNA/USDT"))
    with BinanceStub(tmp_path / "served") as stub, ExitStack() as stack:
        settings = ExchangeSettings(url=stub.url, timeout_s=5.0, pause_s=0.01)
        yield lambda name: stack.enter_context(Exchange(replace(settings, name=name), clock=stub.clock))


def test_an_exchange_tells_its_rules_and_its_tiers_to_who_has_a_key(
    exchange: Callable[[str], Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    spot = ask_contracts(exchange("binance"), ["SYNA/USDT"])["SYNA/USDT"]
    perpetual = ask_contracts(exchange("binanceusdm"), [A])[A]
    assert min(perpetual.lot, perpetual.tick, spot.lot, spot.tick) > 0
    assert perpetual.minimum_usd == spot.minimum_usd == 5.0
    assert perpetual.tiers is spot.tiers is CONSERVATIVE_TIERS
    monkeypatch.setenv("QUORATE_EXCHANGE_KEY", "key")
    monkeypatch.setenv("QUORATE_EXCHANGE_SECRET", "secret")
    told = ask_contracts(exchange("binanceusdm"), [A])[A]
    assert replace(told, tiers=CONSERVATIVE_TIERS) == perpetual
    assert told.tiers.leverage(1_000.0) > CONSERVATIVE_TIERS.leverage(1_000.0)


def test_a_market_that_the_exchange_does_not_have_is_refused(exchange: Callable[[str], Exchange]) -> None:
    with pytest.raises(UnknownSymbolError, match=A):
        ask_contracts(exchange("binanceusdm"), ["SYNB/USDT:USDT"])
