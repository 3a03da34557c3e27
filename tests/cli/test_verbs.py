"""Every verb as a program: JSON, tables, exit codes, and no traceback."""

import csv
import json
import shutil

import numpy as np
import pyarrow.feather
import pytest

from quorate import load_bundle, load_candles
from quorate.core.clock import HOUR_MS, parse_ms
from quorate.trading import Contract
from quorate.trading.account.contracts import write_contracts

FIGURES = {"log_loss", "brier", "accuracy", "auc", "skill_vs_prior", "rank_ic"}


def document(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_train_json_document(world):
    trained = world.trained
    assert {"bundle", "id", "models", "rows", "span"} <= set(trained)
    assert trained["rows"] == 2 * 700
    assert trained["synthetic"] is True
    assert trained["span"] == {"from": "2024-01-03T01:00:00Z", "to": "2024-01-30T03:00:00Z"}
    for name in ("xgboost", "lightgbm"):
        model = trained["models"][name]
        assert model["ok"] is True
        assert model["seconds"] > 0
        for part in ("validation", "test"):
            assert FIGURES | {"prior_log_loss"} <= set(model["metrics"][part])
    assert [stage["stage"] for stage in trained["stages"]] == [
        "candles", "features and labels", "out of fold", "xgboost", "lightgbm", "probabilities", "publish",
    ]  # fmt: skip


def test_signal_of_a_seen_and_an_unseen_market(world, quorate_program):
    asked = ("signal", "--bundle", world.bundle, "--data", world.data, "SYNA/USDT:USDT", "SYNC/USDT:USDT")
    signals = document(quorate_program(*asked, "--json"))
    assert [signal["symbol"] for signal in signals] == ["SYNA/USDT:USDT", "SYNC/USDT:USDT"]
    for signal in signals:
        assert {
            "symbol", "time", "action", "confidence", "consensus", "mode", "volatility", "votes", "abstentions", "line",
        } <= set(signal)  # fmt: skip
        assert signal["time"] == "2024-02-11T15:00:00Z"
        assert signal["mode"] == "full"
        assert [vote["model"] for vote in signal["votes"]] == ["xgboost", "lightgbm"]
        for vote in signal["votes"]:
            assert vote["probabilities"] is None
            assert vote["score"] == max(vote["scores"])
            assert vote["action"] == ("SELL", "HOLD", "BUY")[int(np.argmax(vote["scores"]))]
    assert [signal["trained_symbol"] for signal in signals] == [True, False]
    done = quorate_program(*asked)
    assert signals[1]["line"] in done.stdout
    assert "SYNTHETIC" in done.stdout
    assert "data is stale" in done.stderr


def test_evaluate_shows_figures_beside_their_baselines(world, quorate_program, tmp_path):
    page = tmp_path / "report.html"
    asked = ("evaluate", "--bundle", world.bundle, "--data", world.data, "--from", world.seam)
    found = document(quorate_program(*asked, "--report", page, "--json"))
    assert {"rows", "members", "ensemble", "baselines", "trades", "criteria"} <= set(found)
    assert found["rows"] == 3 * (300 - 5)
    assert found["unseen_symbols"] == ["SYNC/USDT:USDT"]
    assert found["in_training_span"] is False
    for figures in (*found["members"].values(), found["ensemble"], found["baselines"]["prior"]):
        assert set(figures) >= FIGURES
    assert {"prior", "always_hold", "buy_and_hold"} <= set(found["baselines"])
    assert {"n", "win_rate", "win_rate_ci", "expectancy_bps", "profit_factor", "sharpe", "max_drawdown"} <= set(
        found["trades"]
    )
    assert all({"name", "target", "measured", "ok"} <= set(row) for row in found["criteria"])
    assert "SYNTHETIC" in page.read_text()
    text = quorate_program(*asked, COLUMNS="80").stdout
    assert text.startswith("SYNTHETIC")
    require_screen(text, found["verdict"])
    assert "Log-loss below the class prior's by" in text


def require_screen(text, verdict):
    """A screen of 24 lines of 80 columns without colour, which ends with the verdict's sentences."""
    lines = text.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in text
    assert "holding" in text
    assert "random entries" in text
    assert " ".join(text.split()).endswith(" ".join([verdict["sentence"], *verdict["details"]]))


def test_backtest_gives_trades_equity_and_stats(world, quorate_program, tmp_path):
    asked = ("backtest", "--bundle", world.bundle, "--data", world.data, "--from", world.seam)
    found = document(quorate_program(*asked, "--json"))
    assert {"trades", "equity", "stats"} <= set(found)
    assert len(found["equity"]) == 300
    assert found["stats"]["n"] == len(found["trades"]) > 0
    total = sum(trade["net_usd"] for trade in found["trades"])
    assert found["equity"][-1]["equity_usd"] == pytest.approx(1_000 + total)
    page = tmp_path / "report.html"
    done = quorate_program(*asked, "--trades", tmp_path / "trades.csv", "--report", page, COLUMNS="80")
    assert "report written to" in done.stderr
    assert f"<h1>Bundle {found['bundle']}" in page.read_text()
    require_screen(done.stdout, found["verdict"])
    for row in ("side long", "exit time", "market SYN"):
        assert f"\n  {row}" in done.stdout
    rows = list(csv.DictReader((tmp_path / "trades.csv").read_text().splitlines()))
    assert [row["reason"] for row in rows] == [trade["reason"] for trade in found["trades"]]
    first, bundle = found["trades"][0], load_bundle(world.bundle)
    decided = parse_ms(first["decided"])
    seen = load_candles(world.data, first["symbol"], "1h").between(end=decided + HOUR_MS)
    signal = bundle.predict(seen, now=decided + HOUR_MS)
    assert rows[0]["vote"] == signal.line()
    assert (rows[0]["consensus"], rows[0]["rule"]) == (signal.consensus, signal.rule)
    assert sum(float(row["net_usd"]) for row in rows) == pytest.approx(total)
    assert "profit factor" in quorate_program(*asked, "--full").stdout


def test_backtest_applies_the_exchange_rules_stored_beside_the_candles(world, quorate_program, tmp_path):
    asked = ("backtest", "--bundle", world.bundle, "--from", world.seam, "--json", "--data")
    unknown = document(quorate_program(*asked, world.data))
    assert unknown["contracts_unknown"] == ["SYNA/USDT:USDT", "SYNB/USDT:USDT", "SYNC/USDT:USDT"]
    free = [trade["quantity"] for trade in unknown["trades"] if trade["symbol"] == "SYNC/USDT:USDT"]
    lot = round(min(free) / 3, 6)
    assert any(abs(quantity / lot - round(quantity / lot)) > 0.01 for quantity in free)
    folder = tmp_path / "data"
    shutil.copytree(world.data, folder)
    write_contracts(folder, [Contract("SYNC/USDT:USDT", lot=lot)])
    known = document(quorate_program(*asked, folder))
    assert known["contracts_unknown"] == ["SYNA/USDT:USDT", "SYNB/USDT:USDT"]
    lots = [trade["quantity"] / lot for trade in known["trades"] if trade["symbol"] == "SYNC/USDT:USDT"]
    assert lots == pytest.approx([round(count) for count in lots], abs=1e-6)
    assert min(lots) >= 1


def test_bars_of_the_training_span_are_refused_or_marked(world, quorate_program):
    for verb in ("evaluate", "backtest"):
        asked = (verb, "--bundle", world.bundle, "--data", world.data, "--from", "2024-01-20")
        refused = quorate_program(*asked)
        assert refused.returncode == 1
        assert "inside the training span" in refused.stderr
        assert "--allow-training-span" in refused.stderr
        allowed = document(quorate_program(*asked, "--allow-training-span", "--json"))
        assert allowed["in_training_span"] is True
        assert "INSIDE THE TRAINING SPAN" in quorate_program(*asked, "--allow-training-span").stdout


@pytest.mark.parametrize("name", ["xgboost.onnx", "lightgbm.txt", "manifest.json"])
def test_a_bundle_with_one_byte_changed_is_refused_by_name(world, quorate_program, tmp_path, name):
    copy = tmp_path / "bundle"
    shutil.copytree(world.bundle, copy)
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    for verb in (("signal", "SYNA/USDT:USDT"), ("evaluate",), ("backtest",)):
        refused = quorate_program(*verb, "--bundle", copy, "--data", world.data)
        assert refused.returncode == 1
        assert name in refused.stderr
        assert "Traceback" not in refused.stderr


def spoil(data, folder, column, value, row=37):
    """A copy of the market whose SYNA has one wrong value."""
    shutil.copytree(data, folder)
    path = folder / "futures" / "SYNA_USDT_USDT-1h-futures.feather"
    table = pyarrow.feather.read_table(path)
    columns = {name: table[name].to_pylist() for name in table.column_names}
    columns[column][row] = value
    pyarrow.feather.write_feather(pyarrow.table(columns, schema=table.schema.remove_metadata()), path)
    return path


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("close", float("nan"), "close nan"),
        ("open", -5.0, "open -5"),
        ("volume", float("inf"), "volume inf"),
        ("high", 1e-3, "high"),
    ],
)
def test_invalid_candles_are_refused_with_file_row_and_value(world, quorate_program, tmp_path, column, value, words):
    path = spoil(world.data, tmp_path / "data", column, value)
    signal = ("signal", "--bundle", world.bundle, "SYNA/USDT:USDT")
    train = ("train", "--symbols", "SYNA/USDT:USDT", "--out", tmp_path)
    for verb in (signal, train):
        refused = quorate_program(*verb, "--data", tmp_path / "data")
        assert refused.returncode == 1
        for word in (path.name, "row 37", words):
            assert word in refused.stderr
        assert "Traceback" not in refused.stderr
    checked = quorate_program("data", "check", "--data", tmp_path / "data")
    assert checked.returncode == 1
    assert "rejected" in checked.stdout
    assert "1 rejected" in checked.stdout


def test_future_dated_candles_are_refused(world, quorate_program, tmp_path):
    from datetime import UTC, datetime

    path = spoil(world.data, tmp_path / "data", "date", datetime(2100, 1, 1, tzinfo=UTC), row=999)
    refused = quorate_program("signal", "--bundle", world.bundle, "--data", tmp_path / "data", "SYNA/USDT:USDT")
    assert refused.returncode == 1
    for word in (path.name, "row 999", "2100-01-01"):
        assert word in refused.stderr


def test_data_list_and_check_of_a_valid_folder(world, quorate_program):
    listed = document(quorate_program("data", "list", "--data", world.data, "--json"))
    assert {(file["symbol"], file["kind"]) for file in listed} == {
        (f"SYN{letter}/USDT:USDT", kind) for letter in "ABC" for kind in ("futures", "funding_rate")
    }
    assert all(file["synthetic"] for file in listed)
    checked = document(quorate_program("data", "check", "--data", world.data, "--json"))
    assert all(file["ok"] for file in checked)
    assert "0 rejected" in quorate_program("data", "check", "--data", world.data).stdout


def test_errors_are_one_line_and_in_json_too(world, quorate_program, tmp_path):
    asked = ("signal", "--bundle", world.bundle, "--data", world.data, "SYNZ/USDT:USDT")
    refused = quorate_program(*asked, "--json")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: could not read candles of SYNZ/USDT:USDT")
    assert len(refused.stderr.splitlines()) == 1
    error = json.loads(refused.stdout)["error"]
    assert error["type"] == "UnknownSymbolError"
    assert error["remedy"].startswith("Did you mean 'SYN")
    assert "Traceback" in quorate_program(*asked, "--debug").stderr
    assert quorate_program("data", "list", "--data", tmp_path / "nowhere").returncode == 1


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "train --data d --out o",
        "train --data d --out o --top 5",
        "train --data d --out o --symbols A --top 5 --from 2024-01-01",
        "train --data d --out o --symbols A --from yesterday",
        "train --data d --out o --symbols A --recipe potluck",
        "signal A --bundle b --data d --policy loud",
    ],
)
def test_wrong_usage_ends_with_exit_code_2(quorate_program, line):
    done = quorate_program(*line.split())
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_refused_by_every_verb_that_reads_it(world, quorate_program, tmp_path):
    (tmp_path / "quorate.toml").write_text("[vote]\nflor = 0.7\n")
    asked = ("backtest", "--bundle", world.bundle, "--data", world.data, "--from", world.seam)
    refused = quorate_program(*asked, folder=tmp_path)
    assert refused.returncode == 1
    assert "Did you mean 'floor'?" in refused.stderr
    named = quorate_program("--config", tmp_path / "none.toml", *asked)
    assert named.returncode == 1
    assert "none.toml" in named.stderr


def test_a_closed_pipe_is_not_an_internal_error(world):
    import subprocess
    import sys

    code = "from quorate.cli.app import run; run()"
    line = f"{sys.executable} -c '{code}' data list --data {world.data} --json | head -1"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "["
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


def test_a_second_import_adds_no_rows(quorate_program, tmp_path):
    source = tmp_path / "BTCUSDT-1h-2024-01-01.csv"
    opened = [1_704_067_200_000 + 3_600_000 * hour for hour in range(3)]
    rows = [f"{time},100,110,90,101,5,{time + 3_599_999},0,1,0,0,0" for time in opened]
    source.write_text("\n".join(rows) + "\n")
    asked = ("data", "import", source, "--data", tmp_path / "data", "--perpetual")
    (first,) = document(quorate_program(*asked, "--json"))["markets"]
    assert (first["symbol"], first["added"], first["changed"]) == ("BTC/USDT:USDT", 3, True)
    (second,) = document(quorate_program(*asked, "--json"))["markets"]
    assert (second["added"], second["duplicates"], second["changed"]) == (0, 3, False)
    assert "unchanged" in quorate_program(*asked).stdout
    refused = quorate_program("data", "import", tmp_path / "what.csv", "--data", tmp_path / "data")
    assert refused.returncode == 1
    assert refused.stderr == f"refused {tmp_path / 'what.csv'}: No such file or directory; expected a readable file\n"
