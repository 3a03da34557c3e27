"""Performance of an account's model: the same figures as an evaluation of the bundle on the same bars."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from quorate.cli.app import main
from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.errors import ArgumentError, EvaluationError, JournalError
from quorate.market.memory import MemorySource
from quorate.workflows.evaluate import evaluate
from quorate.workflows.paper import PaperAccount
from quorate.workflows.runs.trials import RunRecord

BARS = 140


@pytest.fixture(scope="module")
def account(world, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUORATE_EVALUATION__RESAMPLES", "60")
        account = PaperAccount("model", f"sqlite:///{tmp_path_factory.mktemp('paper') / 'journal.sqlite'}")
    account.run(world.bundle, world.data, start=world.start, end=world.end + BARS * HOUR_MS)
    return account


@pytest.fixture(scope="module")
def evaluated(world, account):
    return evaluate(
        world.bundle,
        world.data,
        settings=account.settings,
        record=RunRecord(log=False),
        start=world.start,
        end=world.end + BARS * HOUR_MS,
    ).to_json()


def test_figures_are_those_of_an_evaluation(world, account, evaluated):
    found = account.performance(world.bundle, world.data).to_json()
    assert found["outcomes"]["known"] == evaluated["rows"] > 300
    assert found["outcomes"]["without_candles"] == 0
    assert found["outcomes"]["waiting"] == 3 * 5
    assert (found["from"], found["to"]) == (evaluated["from"], evaluated["to"])
    for name in ("n", "abstained", "log_loss", "accuracy", "skill_vs_prior", "skill_vs_prior_ci"):
        assert found["ensemble"][name] == pytest.approx(evaluated["ensemble"][name]), name
        for member, figures in evaluated["members"].items():
            assert found["members"][member][name] == pytest.approx(figures[name]), (member, name)
    assert found["ensemble"]["prior_log_loss"] == pytest.approx(evaluated["baselines"]["prior"]["log_loss"])
    assert found["coverage"] == evaluated["coverage"] != []
    assert found["decisions"] == evaluated["decisions"]
    bins = [
        {name: value for name, value in row.items() if name != "correct_ci"} for row in found["reliability"]["bins"]
    ]
    assert bins == evaluated["ensemble"]["reliability"]
    for row in found["reliability"]["bins"]:
        low, high = row["correct_ci"]
        assert low <= row["correct"] <= high
    assert found["reliability"]["ece"] == pytest.approx(evaluated["ensemble"]["ece"])
    assert (
        sum(row["rows"] for row in found["by_day"])
        == sum(row["rows"] for row in found["by_week"])
        == found["outcomes"]["known"]
    )
    json.dumps(found, allow_nan=False)


def test_promises_are_those_of_the_training(world, account):
    found = account.performance(world.bundle, world.data).to_json()["promised"]
    metrics = json.loads((world.bundle / "manifest.json").read_text())["metrics"]
    assert found["members"].keys() == {"xgboost", "lightgbm"}
    for member, figures in found["members"].items():
        assert figures["skill_vs_prior"] == metrics[member]["test"]["skill_vs_prior"] != None  # noqa: E711
    assert found["floors"] == metrics["floors"]["policies"]["classic"]["floors"]


def test_of_a_folder_of_bundles_the_accounts_own_is_measured(world, account, tmp_path):
    shutil.copytree(world.bundle.parent, tmp_path / "bundles")
    expected = account.performance(world.bundle, world.data).to_json()
    (tmp_path / "bundles" / "champion").write_text("0123456789abcdef\n")
    assert account.performance(tmp_path / "bundles", world.data).to_json() == expected


def test_outcomes_after_the_newest_bar_of_a_replay_are_not_used(world, account):
    """The candles go on, with other prices: nothing may change."""
    source = {symbol: world.market.candles(symbol) for symbol in world.market.names}
    last = world.end + (BARS - 1) * HOUR_MS
    changed = {
        symbol: replace(candles, close=np.where(candles.time > last, candles.close * 3, candles.close))
        for symbol, candles in source.items()
    }
    changed = {symbol: replace(c, high=np.maximum(c.high, c.close)) for symbol, c in changed.items()}
    expected = account.performance(world.bundle, MemorySource(source.values())).to_json()
    assert account.performance(world.bundle, MemorySource(changed.values())).to_json() == expected


def test_bars_without_candles_are_counted_and_not_guessed(world, account):
    first, second, _ = (world.market.candles(symbol) for symbol in world.market.names)
    cut = second.between(world.end + 40 * HOUR_MS)
    found = account.performance(world.bundle, MemorySource([first, cut])).to_json()
    outcomes = found["outcomes"]
    assert outcomes["without_candles"] == BARS + 40
    assert outcomes["waiting"] == 2 * 5
    assert outcomes["known"] == (BARS - 5) + (BARS - 40 - 5)
    assert {row["symbol"]: row["n"] for row in found["per_symbol"]} == {
        first.symbol: BARS - 5,
        second.symbol: BARS - 45,
    }


def test_without_any_candle_there_is_a_reason_and_no_figure(world, account, capsys):
    unknown = replace(world.market.candles(world.market.names[0]), symbol="XYZ/USDT:USDT")
    found = account.performance(world.bundle, unknown)
    assert found.document["ensemble"] is None
    assert found.document["outcomes"]["without_candles"] == 3 * BARS
    assert "bars with an outcome  0" in str(found)
    assert len(found.to_pandas("members")) == 0


def test_tables(world, account):
    found = account.performance(world.bundle, world.data)
    assert found.to_pandas().index.tolist() == ["ensemble", "xgboost", "lightgbm"]
    assert len(found.to_pandas("weeks")) == 3 * len(found.document["by_week"])
    assert len(found.to_pandas("days")) == 3 * len(found.document["by_day"])
    assert set(found.to_pandas("mix")["consensus"]) >= {"unanimous", "strong", "split"}
    for table in ("reliability", "coverage", "symbols"):
        assert len(found.to_pandas(table)) > 0
    with pytest.raises(ArgumentError, match="members, days, weeks"):
        found.to_pandas("months")
    assert "effective votes" in found._repr_html_()


def test_the_command(world, account, capsys):
    asked = ["paper", "performance", "--account", account.name, "--journal", account.url, "--bundle", str(world.bundle)]
    assert main([*asked, "--data", str(world.data), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["as_of"] == iso_ms(world.end + (BARS - 1) * HOUR_MS)
    assert main([*asked, "--data", str(world.data)]) == 0
    shown = capsys.readouterr().out
    for words in ("skill over the prior", "promised", "Consensus of decided bars", "vote alike"):
        assert words in shown
    assert main(asked) == 2
    assert "neither --data nor --exchange" in capsys.readouterr().err


def test_refused(world, account, tmp_path):
    with pytest.raises(EvaluationError, match="a stack, whose members predict returns"):
        account.performance(world.stack, world.data)
    with pytest.raises(ArgumentError, match="both `data` and `exchange`"):
        account.performance(world.bundle, world.data, exchange="binanceusdm")
    other = PaperAccount("other", f"sqlite:///{tmp_path / 'journal.sqlite'}")
    with pytest.raises(JournalError, match="no such file"):
        other.performance(world.bundle, world.data)
    other.run(world.bundle, world.data, start=world.start, end=world.end + 2 * HOUR_MS, policy="closed")
    assert other.performance(world.bundle, world.data).document["ensemble"]["n"] == 0
