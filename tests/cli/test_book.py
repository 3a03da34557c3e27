"""Books on the command line: trained, shown, traded and judged over a folder of candles."""

import json

import pytest

from quorate.market.synthetic import SyntheticMarket

SMALL = {
    "QUORATE_BOOK__MARKETS": "8",
    "QUORATE_BOOK__CARRY_MARKETS": "8",
    "QUORATE_BOOK__MEMBERS": '["logistic"]',
    "QUORATE_BOOK__QUORUM": "1",
    "QUORATE_ACCOUNT__EQUITY_USD": "100000",
    "COLUMNS": "80",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    SyntheticMarket(seed=3, symbols=10, bars=2_000, timeframe="4h", edge=0.05).write(folder / "data")
    return folder


@pytest.fixture(scope="module")
def books(folder, quorate_program):
    done = quorate_program(
        *("train", "--recipe", "book", "--data", folder / "data", "--to", "2024-09-01", "--out", folder / "books"),
        **SMALL,
    )
    assert done.returncode == 0, done.stderr
    assert "cross_section.logistic: " in done.stdout
    assert "next: quorate signal --bundle" in done.stdout
    return folder / "books"


def test_signal_prints_targets_and_orders(quorate_program, folder, books):
    shown = quorate_program("signal", "--bundle", books, "--data", folder / "data", **SMALL)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("SYNTHETIC")
    assert "gross" in lines[1]
    assert max(map(len, lines)) <= 80
    found = json.loads(
        quorate_program("signal", "--bundle", books, "--data", folder / "data", "--json", **SMALL).stdout
    )
    assert found["positions"]
    assert found["gross"] == pytest.approx(sum(abs(each["weight"]) for each in found["positions"]))
    refused = quorate_program("signal", "--bundle", books, "--data", folder / "data", "SYNA/USDT:USDT", **SMALL)
    assert refused.returncode == 2
    assert "a book decides all at once" in refused.stderr


def test_backtest_prints_the_account_and_its_verdict(quorate_program, folder, books, tmp_path):
    trades, page = tmp_path / "trades.csv", tmp_path / "book.html"
    done = quorate_program(
        *("backtest", "--bundle", books, "--data", folder / "data", "--full", "--trades", trades, "--report", page),
        **SMALL,
    )
    assert done.returncode == 0, done.stderr
    assert "net Sharpe" in " ".join(done.stdout.split())
    assert len(done.stdout.splitlines()) <= 24
    assert trades.read_text().count("\n") > 10
    assert "Beside holding" in page.read_text()
    refused = quorate_program("backtest", "--bundle", books, "--data", folder / "data", "--guards", **SMALL)
    assert refused.returncode == 2
    assert "--guards" in refused.stderr


def test_evaluate_judges_along_refits(quorate_program, folder, tmp_path):
    page = tmp_path / "book.html"
    done = quorate_program(
        *("evaluate", "--recipe", "book", "--data", folder / "data", "--from", "2024-09-01", "--report", page),
        **SMALL,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) <= 40
    assert "In the simulated account" in done.stdout
    assert page.exists()
    refused = quorate_program(
        *("evaluate", "--recipe", "book", "--data", folder / "data", "--from", "2024-09-01", "--folds", "2"), **SMALL
    )
    assert refused.returncode == 2
    assert "--folds" in refused.stderr


def test_options_of_other_recipes_are_refused(quorate_program, folder):
    done = quorate_program(
        *("train", "--recipe", "book", "--data", folder / "data", "--rolling", "30d", "--out", folder / "none"), **SMALL
    )
    assert done.returncode == 2
    assert "--rolling" in done.stderr
