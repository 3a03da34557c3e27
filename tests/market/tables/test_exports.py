"""Exports of other programs, each compared with the true candles that it was made from."""

import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from quorate.cli.app import main
from quorate.market.files.freqtrade_folder import load_candles

from .exports import EXPORTS, page, run_all, truth

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def results(folder):
    return run_all(folder)


@pytest.mark.parametrize("name", [name for name, (_, _, words) in EXPORTS.items() if words is None])
def test_an_export_becomes_the_true_candles(results, name):
    assert results[name].ok
    for market in results[name].markets:
        candles = load_candles(results[name].folder, market.symbol, market.timeframe)
        rows = truth(40, timedelta(days=1)) if market.timeframe == "1d" else truth()
        assert candles.time.tolist() == [round(time.timestamp() * 1000) for time, *_ in rows]
        for place, values in enumerate((candles.open, candles.high, candles.low, candles.close, candles.volume), 1):
            assert values.tolist() == pytest.approx([row[place] for row in rows], rel=1e-12)


@pytest.mark.parametrize("name", [name for name, (_, _, words) in EXPORTS.items() if words is not None])
def test_what_is_left_open_is_refused_in_words(results, name):
    (refused,) = results[name].refused
    assert EXPORTS[name][2] in refused.error.found
    assert refused.commands
    assert not results[name].markets


@pytest.mark.parametrize("name", ["BTCUSDT_unasked.csv", "btc_unclear.csv", "BTC_USDT unknown.csv"])
def test_the_command_of_a_refusal_imports_the_file(results, name):
    (refused,) = results[name].refused
    program, *arguments = shlex.split(refused.commands[0])
    assert program == "quorate"
    assert main(arguments) == 0


def test_the_page_of_the_documentation_is_that_of_the_exports(results):
    assert (ROOT / "docs/imports.md").read_text(encoding="utf-8") == page(results)


def test_times_without_a_zone_are_said_to_be_utc(folder, results, capsys):
    assert (
        main(["data", "import", str(folder / "btc_de.csv"), "--data", str(folder / "said"), "--symbol", "btc-usdt"])
        == 0
    )
    said = capsys.readouterr().err
    assert "read as UTC: first bar 2025-04-28 00:00 UTC, last bar 2025-05-01 23:00 UTC" in said
    assert "--tz Europe/Berlin" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tz", "Europe/Berln"), "Did you mean 'Europe/Berlin'"),
        (("--columns", "open=Kurs"), "no column 'Kurs' for open in --columns"),
        (("--columns", "price=open"), "'price' in --columns"),
        (("--date-format", "german"), "expected dmy, mdy, ymd"),
        (("--decimal", ";"), "expected a point or a comma"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(folder, results, capsys, options, words):
    given = ["data", "import", str(folder / "BTC_USDT polars.csv"), "--data", str(folder / "wrong"), *options]
    assert main(given) == 2
    assert words in capsys.readouterr().err


def test_hours_that_a_zone_has_twice_or_not_at_all(tmp_path, capsys):
    path = tmp_path / "BTC_USDT_local.csv"
    rows = "{0}:00,1,1,1,1,1\n{0}:30,1,1,1,1,1\n"
    header = "date,open,high,low,close,volume\n"
    autumn = [rows.format(f"2025-10-26 {hour:02d}") for hour in (0, 1, 2, 2, 3)]
    path.write_text(header + "".join(autumn))
    store = tmp_path / "store"
    assert main(["data", "import", str(path), "--data", str(store), "--tz", "Europe/Berlin"]) == 0
    times = load_candles(store, "BTC/USDT", "30m").time
    assert set((times[1:] - times[:-1]).tolist()) == {1_800_000}
    path.write_text(header + rows.format("2025-03-30 01") + rows.format("2025-03-30 02"))
    assert main(["data", "import", str(path), "--data", str(store), "--tz", "Europe/Berlin"]) == 1
    assert "2025-03-30 02:00, which the clocks of Europe/Berlin skip" in capsys.readouterr().err
