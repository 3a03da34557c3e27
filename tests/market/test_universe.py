import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.settings import UniverseSettings
from quorate.core.types import Candles
from quorate.market.files.candle_store import write_candles
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top

START = parse_ms("2024-03-01")


@pytest.fixture
def folder(tmp_path):
    """Add a market with a price and a volume each hour of some days around START."""

    def add(symbol, first_day, last_day, price, volume):
        time = np.arange(START + first_day * DAY_MS, START + last_day * DAY_MS, HOUR_MS)
        flat = np.full(len(time), price)
        write_candles(tmp_path, Candles(symbol, "1h", time, flat, flat, flat, flat, np.full(len(time), volume)))

    add.source = lambda: FreqtradeFolder(tmp_path)
    return add


def test_ranks_by_quote_volume_over_the_thirty_days_before(folder):
    folder("CHEAP/USDT:USDT", -40, 40, 0.001, 5e6)  # 5,000 an hour
    folder("DEAR/USDT:USDT", -40, 40, 1000.0, 6.0)  # 6,000
    folder("OLD/USDT:USDT", -60, -31, 1.0, 1e9)  # stopped before the window
    folder("SPOT/USDT", -40, 40, 1.0, 1e9)
    folder("NEW/USDT:USDT", 0, 40, 1.0, 1e9)  # listed at START: unknown before it
    folder("SHORT/USDT:USDT", -15, 0, 1.0, 11_900.0)  # half the window: worth 5,950 an hour
    assert top(folder.source(), "1h", 3, START) == ("DEAR/USDT:USDT", "SHORT/USDT:USDT", "CHEAP/USDT:USDT")


def test_what_comes_after_the_start_changes_nothing(folder):
    folder("A/USDT:USDT", -40, 0, 1.0, 100.0)
    folder("B/USDT:USDT", -40, 0, 1.0, 200.0)
    before = top(folder.source(), "1h", 2, START)
    folder("A/USDT:USDT", -40, 0, 1.0, 100.0)
    folder("C/USDT:USDT", 0, 20, 1.0, 1e9)
    assert top(folder.source(), "1h", 2, START) == before == ("B/USDT:USDT", "A/USDT:USDT")


def test_the_spans_own_first_days_where_there_is_no_earlier_history(folder):
    folder("BTC/USDT:USDT", -40, 40, 1.0, 100.0)
    folder("ETH/USDT:USDT", 0, 40, 1.0, 200.0)
    folder("SOL/USDT:USDT", 0, 20, 1.0, 297.0)  # 20 of the 30 days: worth 198 an hour
    folder("LATER/USDT:USDT", 31, 60, 1.0, 1e9)
    assert top(folder.source(), "1h", 3, START) == ("ETH/USDT:USDT", "SOL/USDT:USDT", "BTC/USDT:USDT")
    assert top(folder.source(), "1h", 1, START) == ("BTC/USDT:USDT",)


def test_stablecoins_and_coin_margined_contracts_are_left_out(folder):
    folder("USDC/USDT:USDT", -40, 0, 1.0, 1e9)
    folder("FDUSD/USDT:USDT", -40, 0, 1.0, 1e9)
    folder("BTC/USD:BTC", -40, 0, 1.0, 1e9)
    folder("BTC/USDT:USDT", -40, 0, 1.0, 1.0)
    assert top(folder.source(), "1h", 1, START) == ("BTC/USDT:USDT",)
    assert top(folder.source(), "1h", 1, START, UniverseSettings(stablecoins=("BTC",)))[0] in (
        "FDUSD/USDT:USDT",
        "USDC/USDT:USDT",
    )


def test_equal_volumes_rank_by_name(folder):
    for name in ("B", "C", "A"):
        folder(f"{name}/USDT:USDT", -40, 0, 1.0, 1.0)
    assert top(folder.source(), "1h", 3, START) == ("A/USDT:USDT", "B/USDT:USDT", "C/USDT:USDT")


def test_the_number_of_days_is_a_setting(folder):
    folder("EARLY/USDT:USDT", -30, -8, 1.0, 1000.0)
    folder("LATE/USDT:USDT", -30, 0, 1.0, 100.0)
    assert top(folder.source(), "1h", 1, START) == ("EARLY/USDT:USDT",)
    assert top(folder.source(), "1h", 1, START, UniverseSettings(days=7)) == ("LATE/USDT:USDT",)


def test_too_few_markets(folder):
    folder("A/USDT:USDT", -40, 0, 1.0, 1.0)
    folder("SILENT/USDT:USDT", -40, 0, 1.0, 0.0)
    with pytest.raises(TooLittleHistoryError, match=r"found 0 of 2 with trades .*; expected at least 3"):
        top(folder.source(), "1h", 3, START)
    with pytest.raises(DataError, match="`top` = 0"):
        top(folder.source(), "1h", 0, START)


def test_a_coin_counts_once_by_its_largest_market(folder):
    folder("BTC/USDT:USDT", -40, 40, 1.0, 900.0)
    folder("BTC/USDC:USDC", -40, 40, 1.0, 1000.0)
    folder("BTC/FDUSD:FDUSD", -40, 40, 1.0, 800.0)
    folder("BTC/USDT", -40, 40, 1.0, 5000.0)
    folder("ETH/USDT:USDT", -40, 40, 1.0, 10.0)
    assert top(folder.source(), "1h", 2, START) == ("BTC/USDC:USDC", "ETH/USDT:USDT")
    with pytest.raises(TooLittleHistoryError, match="found 2 of 2"):
        top(folder.source(), "1h", 3, START)
