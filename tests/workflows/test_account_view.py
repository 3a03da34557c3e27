"""A view of an account that goes on: the same as reading it anew, without reading it anew."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import ArgumentError, GuardError, UnknownAccountError
from quorate.evaluation.baselines.naive import buy_and_hold
from quorate.market.memory import MemorySource
from quorate.trading.journal import ClosedRecord, DecidedRecord, Journal, ValuedRecord
from quorate.workflows.inputs.predictors import load_predictor
from quorate.workflows.paper import AccountView, PaperAccount


@pytest.fixture
def account(tmp_path):
    return PaperAccount("seen", f"sqlite:///{tmp_path / 'journal.sqlite'}")


@pytest.fixture
def view(account):
    view = AccountView(account)
    yield view
    view.close()


@pytest.fixture
def trade(account, world):
    """Trades so many bars after the last ones."""
    done = [0]

    def run(bars, **options):
        done[0] += bars
        end = world.end + done[0] * HOUR_MS
        return account.run(world.bundle, world.data, start=world.start, end=end, **options)

    return run


def test_the_status_goes_on_with_the_account(account, view, trade):
    for bars in (30, 1, 40):
        trade(bars)
        assert view.status().to_json() == account.status().to_json()
    assert view.status() is view.status(), "computed again without a new record"
    assert view.account is account


def test_an_account_that_begins_later(account, view, trade):
    with pytest.raises(UnknownAccountError, match="no such file"):
        view.status()
    Journal.open(account.url, "other").close()
    with pytest.raises(UnknownAccountError, match="no such account"):
        view.status()
    Journal.open(account.url, account.name).close()
    with pytest.raises(UnknownAccountError, match="no session"):
        view.status()
    trade(5)
    assert view.status().document["account"] == "seen"


def test_requests_are_written_and_shown(account, view, trade):
    trade(120)
    halted = [guard["guard"] for guard in view.status().document["guards"] if guard["mode"] == "HALTED"]
    assert "confidence" in halted
    assert view.rearm("confidence", who="Ada", note="seen").to_json()["note"] == "seen"
    assert [request["who"] for request in view.status().document["requests"]] == ["Ada"]
    with pytest.raises(GuardError):
        view.rearm("nonsense", who="Ada")
    with pytest.raises(GuardError):
        view.promote(who="Ada")
    trade(5)
    assert view.status().document["requests"] == []


def test_news_are_every_record_once(view, trade):
    with pytest.raises(UnknownAccountError):
        view.news(None, [DecidedRecord], 5)
    trade(3)
    nothing, after = view.news(None, [DecidedRecord, ValuedRecord], 5)
    assert nothing == []
    trade(4)
    found = []
    while True:
        entries, after = view.news(after, [DecidedRecord, ValuedRecord], 5)
        assert len(entries) <= 5
        if not entries:
            break
        found += entries
    assert [entry.seq for entry in found] == sorted({entry.seq for entry in found})
    assert sum(isinstance(entry.record, DecidedRecord) for entry in found) == 3 * 4


def test_trades_have_the_decision_they_were_entered_on(account, view, trade):
    trade(120, guards=False)
    closed = list(account.records(None, kinds="closed"))
    trades = view.trades(100)
    assert [trade.number for trade in trades] == [entry.seq for entry in reversed(closed)]
    assert len(trades) > 3
    for found in trades:
        assert (found.decided.symbol, found.decided.time) == (found.trade.symbol, found.trade.decided)
        assert found.decided.action.name == {1: "BUY", -1: "SELL"}[found.trade.side]
        assert {vote["model"] for vote in found.to_json()["votes"]} <= {"xgboost", "lightgbm"}
        assert found.to_json()["votes"]
    assert [trade.number for trade in view.trades(2, before=trades[1].number)] == [one.number for one in trades[2:4]]
    assert all(isinstance(entry.record, ClosedRecord) for entry in closed)


def test_equity_beside_buy_and_hold(account, view, trade, world):
    trade(100)
    result = account.status().result
    bundle = load_predictor(world.bundle, account.settings)
    baselines = view.baselines(bundle, MemorySource([world.market.candles(name) for name in world.market.names]))
    whole = view.equity(baselines)
    assert whole.time.tolist() == result.time.tolist()
    assert whole.equity_usd.tolist() == result.equity_usd.tolist()
    peak = np.maximum.accumulate(np.maximum(result.equity_usd, result.start_equity_usd))
    assert whole.drawdown == pytest.approx(1 - result.equity_usd / peak)
    span = {name: world.market.candles(name).between(world.end, world.end + 100 * HOUR_MS) for name in result.symbols}
    assert whole.hold_usd == pytest.approx(buy_and_hold(span, 1000.0, account.settings.costs).equity)
    few = view.equity().sampled(7)
    assert len(few.time) == 7
    assert few.time[-1] == result.time[-1]
    assert few.hold_usd is None
    assert few.bars == 100
    trade(3)
    later = view.equity(baselines)
    assert later.hold_usd[:100].tolist() == whole.hold_usd.tolist()
    assert later.to_json()["buy_and_hold_usd"][100:] == [None] * 3
    unknown = replace(world.market.candles(world.market.names[0]), symbol="XYZ/USDT:USDT")
    assert view.baselines(bundle, MemorySource([unknown])) is None


def test_performance_goes_on_too(account, view, trade, world):
    bundle = load_predictor(world.bundle, account.settings)
    source = MemorySource([world.market.candles(name) for name in world.market.names])
    for bars in (60, 30):
        trade(bars)
        assert view.bundle() == bundle.id
        found = view.performance(bundle, source, view.baselines(bundle, source))
        assert found.to_json() == account.performance(bundle, source).to_json()


def test_records_are_found(account, view, trade):
    trade(20)
    entries = list(account.records(None, kinds="decided"))
    assert view.records(4, kinds="decided") == entries[::-1][:4]
    assert view.records(4, kinds="decided", before=entries[-2].seq)[0] == entries[-3]
    with pytest.raises(ArgumentError):
        view.records(4, kinds="nonsense")


def test_many_threads_read_while_the_account_goes_on(account, view, trade):
    """Two readers and one writer."""
    trade(2)
    stop, failures, seen = threading.Event(), [], []

    def read():
        while not stop.is_set():
            try:
                document = view.status().document
                seen.append((document["last_bar"], view.records(1)[0].seq))
                view.trades(3)
            except Exception as error:  # noqa: BLE001 - shown by the test
                failures.append(error)
                return

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    trade(80)
    stop.set()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert len({bar for bar, _ in seen}) > 5
    assert view.status().to_json() == account.status().to_json()
