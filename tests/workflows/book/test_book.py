"""A book from training to target weights and the account, over files of candles."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.book.conftest import make_market

from quorate.book.bundle import Book, load_book
from quorate.core.clock import DAY_MS, parse_ms
from quorate.core.errors import ArgumentError, BookError, BundleError, TrainingSpanError
from quorate.core.settings import AccountSettings, BookSettings, Settings
from quorate.market.memory import MemorySource
from quorate.workflows.book.backtest import backtest_book
from quorate.workflows.book.kinds import is_book
from quorate.workflows.book.signal import target_book
from quorate.workflows.book.train import train_book
from quorate.workflows.runs.trials import RunRecord

SETTINGS = replace(
    Settings(),
    book=BookSettings(
        markets=8, carry_markets=8, age_days=30, members=("logistic", "lightgbm"), quorum=2, volume_share=1.0
    ),
    account=AccountSettings(equity_usd=100_000.0, leverage=2.0),
)
CUT = parse_ms("2021-07-20")


@pytest.fixture(scope="module")
def source():
    market = make_market(12, 260)
    funding = {symbol: each for symbol, each in market.funding.items() if each is not None}
    return MemorySource(list(market.candles.values()), funding)


@pytest.fixture(scope="module")
def trained(source, tmp_path_factory):
    return train_book(source, tmp_path_factory.mktemp("books"), settings=SETTINGS, end=CUT)


@pytest.fixture(scope="module")
def traded(trained, source):
    return backtest_book(trained.path, source, settings=SETTINGS, record=RunRecord(log=False))


def test_training_publishes_what_loads_again(trained):
    assert is_book(trained.path)
    assert is_book(trained.path.parent)
    book = load_book(trained.path.parent)
    assert book.manifest == trained.manifest
    assert [member.model for member in book.manifest.members] == ["logistic", "lightgbm"]
    assert not book.failures
    assert book.manifest.training_end == CUT
    document = trained.to_json()
    assert document["models"]["cross_section.logistic"]["ok"]
    json.dumps(document, allow_nan=False)


def test_the_same_training_gives_the_same_book(trained, source, tmp_path):
    again = train_book(source, tmp_path, settings=SETTINGS, end=CUT)
    assert again.manifest.id == trained.manifest.id


@pytest.mark.parametrize("name", ["book.json", "cross_section.lightgbm.onnx"])
def test_altered_files_are_refused(trained, tmp_path, name):
    for file in trained.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content.replace(b"0", b"1", 1))
    with pytest.raises(BundleError, match="does not match"):
        load_book(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BundleError):
        load_book(tmp_path)


def test_a_member_that_fails_abstains_and_the_quorum_decides(trained, source):
    book = load_book(trained.path)
    from quorate.workflows.book.markets import read_markets

    panel = read_markets(source).panel(book.manifest.settings)
    whole = book.weights(panel)
    assert np.abs(whole.daily["cross_section"][-1]).sum() > 0
    sessions = {"cross_section": {"logistic": book._sessions["cross_section"]["logistic"]}}
    alone = Book(book.manifest, book.sleeves, sessions, {"cross_section.lightgbm": "gone"})
    assert not alone.weights(panel).daily["cross_section"].any()  # one member is less than the quorum of two
    np.testing.assert_array_equal(alone.weights(panel).daily["trend"], whole.daily["trend"])


def test_targets_now_are_within_the_limits_and_say_why(trained, source):
    found = target_book(trained.path, source, settings=SETTINGS)
    assert found.positions
    assert found.moment % DAY_MS == 0
    assert found.gross <= SETTINGS.book.most_gross
    assert abs(found.net) < 0.5
    assert all(each.order == pytest.approx(each.weight - each.held) for each in found.positions)
    assert {name for each in found.positions for name in each.sleeves} >= {"cross_section", "trend", "carry"}
    json.dumps(found.to_json(), allow_nan=False)


def test_the_account_is_reconciled(traded):
    result = traded.result
    assert len(result.trades) > 100
    net = sum(trade.net_usd for trade in result.trades)
    assert result.final_equity_usd == pytest.approx(result.start_equity_usd + net, rel=1e-9)
    document = traded.to_json()
    assert set(document["baselines"]) == {"leader", "universe"}
    assert "Sharpe" in traded.verdict
    json.dumps(document, allow_nan=False)


def test_no_weight_depends_on_later_candles(trained, source, traded):
    end = parse_ms("2021-08-20")
    part = backtest_book(trained.path, source, settings=SETTINGS, record=RunRecord(log=False), end=end)
    count = int(np.searchsorted(traded.result.time, end)) - 1  # at the last close of the part all positions are closed
    np.testing.assert_array_equal(part.result.equity_usd[:count], traded.result.equity_usd[:count])


def test_days_of_the_training_are_refused(trained, source):
    with pytest.raises(TrainingSpanError, match="expected `start` 2021-07-20"):
        backtest_book(trained.path, source, settings=SETTINGS, start="2021-06-01")
    inside = backtest_book(
        trained.path,
        source,
        settings=SETTINGS,
        start="2021-07-01",
        allow_training_span=True,
        record=RunRecord(log=False),
    )
    assert inside.document["training_span_overlaps"]


def test_a_run_is_a_trial(trained, source, tmp_path):
    record = RunRecord(path=tmp_path / "trials.jsonl")
    found = backtest_book(trained.path, source, settings=SETTINGS, record=record).document
    assert found["deflation"]["recorded"] == 1
    assert found["provenance"]["data_hash"]
    again = backtest_book(trained.path, source, settings=SETTINGS, record=record).document
    assert (again["deflation"]["recorded"], again["deflation"]["distinct"]) == (2, 1)


def test_wrong_arguments_are_named(source, tmp_path):
    with pytest.raises(ArgumentError, match="found `top`"):
        train_book(source, tmp_path, top=5, start="2021-02-01")
    with pytest.raises(BookError, match="rows with a known label"):
        train_book(source, tmp_path, settings=SETTINGS, end="2021-04-01")
    with pytest.raises(BundleError, match="no book there"):
        load_book(tmp_path)
    assert not is_book(tmp_path)
    (tmp_path / "book").write_text("nothing\n")
    with pytest.raises(BundleError, match="the id of a book"):
        is_book(tmp_path)


def test_a_book_is_no_bundle_of_votes(trained):
    from quorate.book.bundle import book_files
    from quorate.ensemble.bundle.bundle_files import BOOK_NAMES
    from quorate.ensemble.inference.loading import load_bundle

    assert BOOK_NAMES == (book_files.FILE_NAME, book_files.POINTER)
    for path in (trained.path, trained.path.parent):
        with pytest.raises(BundleError, match="found a book; expected a bundle of members that vote"):
            load_bundle(path)
