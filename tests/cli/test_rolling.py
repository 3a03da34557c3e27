"""`quorate train --rolling`, the verbs with a series, and markets of a Freqtrade configuration."""

import json

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, iso_ms, parse_ms

TRAIN = ("--models", "xgboost,lightgbm", "--json")


def document(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def series(world, quorate_program, tmp_path_factory):
    """Three bundles of 20 days each, every 7 days, over 41 days and 16 hours of candles."""
    out = tmp_path_factory.mktemp("rolling")
    asked = ("train", "--data", world.data, "--symbols", "SYNA/USDT:USDT,SYNB/USDT:USDT", "--out", out)
    return document(quorate_program(*asked, "--rolling", "7d", "--window", "20d", "--to", "2024-02-04", *TRAIN))


def test_a_series_is_trained_window_by_window(series, world, quorate_program):
    bundles = series["bundles"]
    assert len(bundles) == 3
    first = parse_ms("2024-01-01")
    for number, one in enumerate(bundles):
        end = first + (20 + 7 * number) * DAY_MS
        assert one["span"]["to"] == iso_ms(end - HOUR_MS)
        assert one["speaks_from"] == iso_ms(end)
        assert one["rows"] == 2 * 20 * 24
        assert one["mode"] == "full"
    listed = document(quorate_program("bundle", "list", "--bundles", series["bundle"] + "/..", "--json"))
    assert {one["id"]: one["champion"] for one in listed} == {one["id"]: one is bundles[-1] for one in bundles}, (
        "the newest is champion"
    )


def test_each_bar_is_decided_by_the_newest_bundle_trained_before_it(series, world, quorate_program, tmp_path):
    asked = ("--bundle", series["bundle"], "--data", world.data, "--from", "2024-01-21", "--json")
    traded = document(quorate_program("backtest", *asked))
    assert traded["bundle"] == series["id"]
    assert traded["bundles"] == [one["id"] for one in series["bundles"]]
    assert traded["in_training_span"] is False
    assert traded["stats"]["n"] == len(traded["trades"]) > 0
    assert min(trade["decided"] for trade in traded["trades"]) >= "2024-01-21"
    judged = document(quorate_program("evaluate", *asked, "--report", tmp_path / "page.html"))
    assert judged["bundles"] == traded["bundles"]
    assert judged["rows"] == 3 * ((1_000 - 20 * 24) - 5)
    assert {"prior", "always_hold", "best_member"} <= set(judged["baselines"])
    assert judged["trades"]["n"] == traded["stats"]["n"]
    assert (tmp_path / "page.html").exists()


def test_a_series_decides_as_its_bundles_alone(series, world, quorate_program):
    """The entries are those of each bundle backtested alone on its part of the span."""
    asked = ("backtest", "--data", world.data, "--json", "--bundle")
    whole = document(quorate_program(*asked, series["bundle"], "--from", "2024-01-21"))
    second, third = series["bundles"][1:]
    span = ("--from", second["speaks_from"], "--to", third["speaks_from"])
    alone = document(quorate_program(*asked, second["bundle"], *span))
    confidence = {(trade["symbol"], trade["decided"]): trade["confidence"] for trade in whole["trades"]}
    shared = [trade for trade in alone["trades"] if (trade["symbol"], trade["decided"]) in confidence]
    assert len(shared) > len(alone["trades"]) / 2
    for trade in shared:
        assert trade["confidence"] == pytest.approx(confidence[trade["symbol"], trade["decided"]], abs=1e-6)


def test_bars_before_the_first_bundle_are_refused(series, world, quorate_program):
    for verb in ("backtest", "evaluate"):
        for more in ((), ("--allow-training-span",)):
            asked = (verb, "--bundle", series["bundle"], "--data", world.data, "--from", "2024-01-20", *more)
            refused = quorate_program(*asked)
            assert refused.returncode == 1
            assert "decides from 2024-01-21 00:00 on" in refused.stderr
    signals = document(
        quorate_program("signal", "--bundle", series["bundle"], "--data", world.data, "SYNA/USDT:USDT", "--json")
    )
    assert signals[0]["mode"] == "full"
    assert signals[0]["in_training_span"] is False


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--rolling", "7"), 2, "such as 30d or 4w"),
        (("--window", "20d"), 2, "--rolling"),
        (("--rolling", "7d"), 1, "at least the 180 of one training window"),
        (("--rolling", "4w", "--window", "60d"), 1, "a shorter --window"),
    ],
)
def test_invalid_series_are_refused(world, quorate_program, tmp_path, more, code, told):
    done = quorate_program("train", "--data", world.data, "--symbols", "SYNA/USDT:USDT", "--out", tmp_path, *more)
    assert done.returncode == code
    assert told in done.stderr.replace("\n", " ").replace("│", "").replace("  ", " ")


def test_markets_of_a_freqtrade_configuration(world, quorate_program, tmp_path):
    config = {
        "trading_mode": "futures",
        "stake_currency": "USDT",
        "exchange": {"name": "binance", "pair_whitelist": ["SYN[AB]/.*", "ETH/USDT:USDT"]},
    }
    (tmp_path / "config.json").write_text(json.dumps(config) + " // mine")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "binance").symlink_to(world.data)
    asked = ("train", "--freqtrade-config", tmp_path / "config.json", "--out", tmp_path / "out", "--to", world.seam)
    refused = quorate_program(*asked, *TRAIN)
    assert refused.returncode == 1
    assert "Give --timeframe; in many configurations the strategy sets it." in refused.stderr
    trained = quorate_program(*asked, "--timeframe", "1h", *TRAIN)
    assert document(trained)["symbols"] == ["SYNA/USDT:USDT", "SYNB/USDT:USDT"]
    assert document(trained)["id"] == world.trained["id"]
    assert "no 1h candles" in trained.stderr
    assert "ETH/USDT:USDT" in trained.stderr
    both = quorate_program(*asked, "--symbols", "SYNA/USDT:USDT")
    assert both.returncode == 2
