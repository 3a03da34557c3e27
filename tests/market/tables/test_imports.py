import json
import os
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles
from quorate.market.tables import ImportOptions, import_files

START = parse_ms("2024-01-01")


@pytest.fixture
def csv_of(tmp_path):
    """Write columns as a CSV without a header below tmp_path/in: csv_of("spot/BTCUSDT-1h.csv", columns)."""

    def write(name, columns):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        names = ("time", "open", "high", "low", "close", "volume")
        rows = zip(*(getattr(columns, column).tolist() for column in names), strict=True)
        path.write_text("".join(",".join(map(repr, row)) + "\n" for row in rows))
        return path

    return write


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*.*")}


def test_tables_become_a_freqtrade_folder(csv_of, hourly, store, tmp_path):
    csv_of("futures/um/BTCUSDT-1h-2024-01.csv", hourly(10).take(np.arange(6)))
    csv_of("futures/um/BTCUSDT-1h-2024-02.csv", hourly(10).take(np.arange(5, 10)))
    csv_of("spot/BTCUSDT-1h-2024-01.csv", hourly(3))
    (tmp_path / "in/notes.csv").write_text("hello\n")
    seen = []
    report = import_files([tmp_path / "in"], store, progress=lambda *call: seen.append(call))
    assert seen == [("importing markets", 1, 2), ("importing markets", 2, 2)]
    assert [(market.symbol, market.merged.added, market.report.duplicates) for market in report.markets] == [
        ("BTC/USDT", 3, 0),
        ("BTC/USDT:USDT", 10, 1),
    ]
    assert report.skipped == (tmp_path / "in/notes.csv",)
    assert sorted(files_of(store)) == ["BTC_USDT-1h.feather", "futures/BTC_USDT_USDT-1h-futures.feather"]
    assert load_candles(store, "BTC/USDT:USDT", "1h").close.tolist() == hourly(10).close.tolist()


def test_importing_again_changes_nothing(csv_of, hourly, store, tmp_path):
    csv_of("spot/BTCUSDT-1h-2024-01.csv", hourly(10, time={4: START + 3 * HOUR_MS}))
    first = import_files([tmp_path / "in"], store)
    assert first.markets[0].report.conflicts == 2
    before = files_of(store)
    assert sorted(before) == ["BTC_USDT-1h.feather", "BTC_USDT-1h.quarantine.csv"]
    again = import_files([tmp_path / "in"], store)
    assert files_of(store) == before
    assert (again.markets[0].merged.added, again.markets[0].merged.stored.changed) == (0, False)
    json.dumps(again.to_json())
    assert again.to_json()["markets"][0]["rows"] == 8


def test_an_import_goes_on_from_what_is_there(csv_of, hourly, store):
    import_files([csv_of("spot/BTCUSDT-1h-2024-01.csv", hourly(6))], store)
    later = csv_of("spot/BTCUSDT-1h-2024-02.csv", hourly(9, close={2: 103.5}))
    report = import_files([later], store)
    assert (report.markets[0].merged.added, report.markets[0].merged.conflicts) == (3, 1)
    assert load_candles(store, "BTC/USDT", "1h").close.tolist() == hourly(9).close.tolist()
    assert "BTCUSDT-1h-2024-02.csv" in (store / "BTC_USDT-1h.quarantine.csv").read_text()


def test_arguments_say_what_names_do_not(csv_of, hourly, store):
    path = csv_of("prices.csv", hourly(4))
    (refused,) = import_files([path], store).refused
    assert "no market in its columns or its name" in refused.error.found
    assert refused.commands[0] == f"quorate data import {path} --data {store} --symbol BTC/USDT"
    import_files([path], store, ImportOptions(symbol="eth/usdt:usdt"))
    assert len(load_candles(store, "ETH/USDT:USDT", "1h")) == 4


def test_freqtrades_own_files_are_imported_with_mark_prices_and_funding(tmp_path, hourly, write_feather, store):
    source = tmp_path / "old/futures"
    write_feather(source / "BTC_USDT_USDT-1h-futures.feather", hourly(5))
    write_feather(source / "BTC_USDT_USDT-1h-mark.feather", hourly(5, volume={0: float("nan")}))
    rates = [[int(time), 0.0001] for time in hourly(3).time]
    (source / "BTC_USDT_USDT-8h-funding_rate.json").write_text(json.dumps(rates))
    report = import_files([tmp_path / "old"], store)
    assert [market.kind for market in report.markets] == ["futures", "mark", "funding_rate"]
    folder = FreqtradeFolder(store)
    assert len(folder.candles("BTC/USDT:USDT", "1h")) == 5
    assert len(folder.mark("BTC/USDT:USDT", "1h")) == 5
    assert folder.funding("BTC/USDT:USDT").rate.tolist() == [0.0001] * 3
    before = files_of(store)
    import_files([tmp_path / "old"], store)
    assert files_of(store) == before


def test_a_bad_file_does_not_stop_the_others(csv_of, hourly, store, tmp_path):
    csv_of("spot/BTCUSDT-1h-2024-01.csv", hourly(10))
    bad = csv_of("spot/BTCUSDT-1h-2024-02.csv", hourly(5, close={3: float("nan")}))
    csv_of("spot/ETHUSDT-1h.csv", hourly(6))
    report = import_files([tmp_path / "in", tmp_path / "absent.csv"], store)
    assert [(market.symbol, market.merged.added) for market in report.markets] == [("BTC/USDT", 10), ("ETH/USDT", 6)]
    assert not report.ok
    absent, faulty = report.refused
    assert "No such file" in absent.error.found
    assert faulty.path == bad
    assert "row 3 at 2024-01-01 03:00 with close nan" in faulty.error.found
    assert faulty.commands == (f"quorate data import {bad} --data {store}",)
    assert json.dumps(report.to_json())


def test_a_running_bar_is_not_stored(csv_of, hourly, store):
    path = csv_of("spot/BTCUSDT-1h.csv", hourly(10))
    report = import_files([path], store, now=START + 9 * HOUR_MS + 1)
    assert (report.markets[0].report.running, report.markets[0].merged.stored.rows) == (1, 9)
    (refused,) = import_files([csv_of("spot/ETHUSDT-1h.csv", hourly(1))], store, now=START + 1).refused
    assert "no closed row in 1 row" in refused.error.found


def test_an_empty_folder(tmp_path, store):
    (tmp_path / "empty").mkdir()
    report = import_files([tmp_path / "empty"], store)
    assert (report.markets, report.refused) == ((), ())


@pytest.mark.data
def test_real_archives_and_a_second_run(store):
    name = os.environ.get("QUORATE_DATA")
    if not name:
        pytest.skip("QUORATE_DATA does not name a folder with freqtrade-testdata/")
    archives = Path(name) / "freqtrade-testdata/binance_public_data"
    first = import_files([archives], store)
    assert [(market.symbol, market.merged.added) for market in first.markets] == [
        ("BTC/USDT", 24),
        ("BTC/USDT:USDT", 24),
    ]
    before = files_of(store)
    second = import_files([archives], store)
    assert [market.merged.stored.changed for market in second.markets] == [False, False]
    assert files_of(store) == before


@pytest.mark.data
def test_freqtrades_test_data_in_two_formats_do_not_contradict_each_other(store):
    name = os.environ.get("QUORATE_DATA")
    if not name:
        pytest.skip("QUORATE_DATA does not name a folder with freqtrade-testdata/")
    folder = Path(name) / "freqtrade-testdata/futures"
    report = import_files(sorted(folder.glob("XRP_USDT_USDT-1h-futures.*")), store)
    assert (report.markets[0].merged.added, report.markets[0].report.conflicts) == (100, 0)


def test_conflicts_are_not_ok_and_name_their_quarantine_file(csv_of, hourly, store, tmp_path):
    csv_of("spot/BTCUSDT-1h.csv", hourly(10, time={4: START + 3 * HOUR_MS}))
    report = import_files([tmp_path / "in"], store)
    assert (report.ok, report.markets[0].conflicts) == (False, 2)
    assert report.markets[0].quarantine == store / "BTC_USDT-1h.quarantine.csv"
    assert len(report.markets[0].quarantine.read_text().splitlines()) == 3
    assert report.to_json()["markets"][0]["quarantine"] == str(store / "BTC_USDT-1h.quarantine.csv")
    csv_of("spot/BTCUSDT-1h.csv", hourly(10, close={5: 106.5}).take(np.arange(5, 10)))
    assert import_files([tmp_path / "in"], store).markets[0].conflicts == 1
    clean = import_files([csv_of("spot/ETHUSDT-1h.csv", hourly(10))], store)
    assert (clean.ok, clean.markets[0].quarantine) == (True, None)


HEADER = "date,symbol,open,high,low,close,volume\n"


def table_of(path, symbols, days=2):
    rows = (f"2024-01-0{day},{name},1,1,1,1,1\n" for day in range(1, days + 1) for name in symbols)
    path.write_text(HEADER + "".join(rows))
    return path


@pytest.mark.parametrize("symbols", [("ETHUSDT",), ("ETH/USDT",), ("BTCUSDC",), ("BTCUSDT", "ETHUSDT")])
def test_rows_of_another_market_than_named_are_refused(tmp_path, store, symbols):
    path = table_of(tmp_path / "prices.csv", symbols)
    (refused,) = import_files([path], store, ImportOptions(symbol="BTC/USDT")).refused
    assert refused.error.found == f"rows of {symbols[-1]}"
    assert refused.commands == (f"quorate data import {path} --data {store}",)
    assert not store.exists()
    named = table_of(tmp_path / "BTC_USDT-1d.csv", symbols)
    assert import_files([named], store).refused[0].path == named


def test_a_column_of_symbols_becomes_several_markets(tmp_path, store):
    path = table_of(tmp_path / "BTC_USDT prices.csv", ("BINANCE:BTCUSDT.P", "ETH/USDT", "xbt-eur"))
    report = import_files([path], store)
    assert [market.symbol for market in report.markets] == ["BTC/EUR", "BTC/USDT:USDT", "ETH/USDT"]
    assert all(market.merged.added == 2 for market in report.markets)


@pytest.mark.parametrize("name", ["BTCUSDT", "BTC/USDT", "btc-usdt", "BINANCE:BTCUSDT", "XBTUSDT", ""])
def test_rows_that_name_the_same_market_are_imported(tmp_path, store, name):
    path = table_of(tmp_path / "prices.csv", (name,))
    assert import_files([path], store, ImportOptions(symbol="BTC/USDT")).markets[0].merged.added == 2


def test_bars_of_another_length_than_stated_are_refused(csv_of, hourly, store):
    columns = hourly(60).take(np.arange(0, 60, 4))
    (refused,) = import_files([csv_of("spot/BTCUSDT-1h.csv", columns)], store).refused
    assert (refused.error.found, refused.error.expected) == ("rows that are 4h apart", "bars of 1h")
    path = csv_of("BTCUSDT_spot.csv", columns)
    assert import_files([path], store).markets[0].timeframe == "4h"


def test_conflicting_rows_name_the_file_that_holds_them(csv_of, hourly, store):
    good = csv_of("spot/BTCUSDT-1h-2024-01.csv", hourly(5))
    bad = csv_of("spot/BTCUSDT-1h-2024-02.csv", hourly(10, time={7: START + 6 * HOUR_MS}).take(np.arange(5, 10)))
    (market,) = import_files([good, bad], store).markets
    assert (market.conflicts, market.conflicting) == (2, (bad,))
