"""The strategy of a book in real Freqtrade: its files, Freqtrade's own look for leaks, and a refused configuration."""

import csv
import json
import re

import pytest

from quorate.integrations.freqtrade.scaffold import scaffold
from stubs import book_agreement as agreement
from stubs import freqtrade
from stubs.binance import spawn


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    """Runs a command of Freqtrade over the candles after the training, with changed settings."""
    freqtrade.require()
    root = tmp_path_factory.mktemp("bot")
    trial = agreement.make_trial(root, funding=True)
    user_data = root / "user_data"
    user_data.mkdir()
    scaffold(user_data, trial.book)
    with spawn(trial.data) as stub:
        exchange = {name: value for name, value in freqtrade.offline(stub.urls).items() if not name.startswith("pair_")}

        def run(*arguments, **changed):
            (root / "changed.json").write_text(json.dumps({"exchange": exchange, **changed}))
            done = freqtrade.run(
                *arguments, "--userdir", user_data, "--datadir", trial.data,
                "-c", user_data / "config-quorate-book.json", "-c", root / "changed.json",
                "--timerange", f"{trial.start - agreement.BAR_MS}-{trial.end}", cwd=root,
            )  # fmt: skip
            return done.returncode, re.sub(r"\s+", " ", done.stdout + done.stderr)

        yield run


def test_freqtrades_lookahead_analysis_finds_no_bias(bot, tmp_path):
    exported = tmp_path / "lookahead.csv"
    code, log = bot(
        "lookahead-analysis", "--targeted-trade-amount", "8", "--minimum-trade-amount", "6",
        "--lookahead-analysis-exportfilename", exported,
    )  # fmt: skip
    assert code == 0, log[-3_000:]
    (row,) = csv.DictReader(exported.read_text().splitlines())
    assert row["has_bias"] == "False"
    assert int(row["total_signals"]) >= 6
    assert (row["biased_entry_signals"], row["biased_exit_signals"], row["biased_indicators"]) == ("0", "0", "")


def test_a_configuration_without_position_adjustment_is_refused_at_the_start(bot):
    code, log = bot("backtesting", "--cache", "none", position_adjustment_enable=False)
    assert code != 0
    assert 'found "position_adjustment_enable": false; expected true: positions are added to and reduced' in log
