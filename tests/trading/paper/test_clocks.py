"""Clocks that are wrong: bars are closed by the exchange's time, and a running candle by nobody's."""

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.types import Action
from quorate.trading.journal import FeedRecord, FilledRecord, RefusedRecord
from stubs.binance import BinanceStub, Fault
from stubs.live import FIRST_BAR, A, B, C, Script, bar, flat, records, run, serve

MINUTE_MS = 60_000


@pytest.fixture
def stub(tmp_path):
    """An exchange on which a long in A is stopped in bar 6."""
    columns = flat()
    columns["low"][FIRST_BAR + 6] = 95.0
    serve(tmp_path / "served", {A: columns, B: flat(50.0), C: flat(2.0)})
    with BinanceStub(tmp_path / "served", now=bar(0) + HOUR_MS + 100) as stub:
        yield stub


def buy():
    return Script({(A, 1): Action.BUY, (B, 4): Action.BUY})


def opened(stub, folder):
    """A session with true clocks up to bar 3: one long in A."""
    session = run(stub, folder, buy(), 4)
    assert list(session.engine.account.positions) == [A]


@pytest.mark.parametrize("local_ms", [-HOUR_MS, -5 * HOUR_MS, -HOUR_MS + 1, -61_000])
def test_stops_are_looked_at_in_time_while_the_local_clock_is_behind(stub, tmp_path, local_ms):
    opened(stub, tmp_path)
    written = []

    def listener(record):
        if record.kind == "closed":
            written.append((record.trade.reason, record.time, stub.clock()))

    script = buy()
    # Patience is as long as in use: what waits for it does not come in time.
    session = run(stub, tmp_path, script, 9, local_ms=local_ms, listener=listener, patience_s=20.0)
    assert [(reason, time) for reason, time, _ in written] == [("stop", bar(6))]
    assert written[0][2] < bar(7) + MINUTE_MS, "within a minute of the bar's close"
    assert session.engine.time == bar(9), "the open after the last bar"
    assert [number for symbol, number in script.asked if symbol == A] == [4, 5, 6, 7, 8]
    (notice,) = [record for record in records(tmp_path, FeedRecord) if record.notice == "skew"]
    assert f"{-local_ms / 1000:.1f} s ahead of the local clock; no positions are entered" in notice.detail
    # Bar 4's order is not entered: the clocks are not to be trusted.
    assert len(records(tmp_path, FilledRecord)) == 1
    assert {record.reason for record in records(tmp_path, RefusedRecord)} <= {"no_trust", "late"}


@pytest.mark.parametrize("local_ms", [HOUR_MS, 59 * MINUTE_MS, 25 * HOUR_MS])
def test_no_running_candle_is_closed_while_the_local_clock_is_ahead(stub, tmp_path, local_ms):
    opened(stub, tmp_path)
    seen = []

    def listener(record):
        if record.kind == "decided":
            seen.append((record.time, stub.clock()))

    run(stub, tmp_path, buy(), 9, local_ms=local_ms, listener=listener)
    assert {time for time, _ in seen} == {bar(number) for number in range(4, 9)}
    assert all(now >= time + HOUR_MS for time, now in seen)
    assert "skew" in [record.notice for record in records(tmp_path, FeedRecord)]


@pytest.mark.parametrize("skew_ms", [15_000, 30 * MINUTE_MS, HOUR_MS])
def test_no_running_candle_is_closed_while_the_exchange_tells_a_later_time(stub, tmp_path, skew_ms):
    """Its time is wrong, and its candles are right."""
    opened(stub, tmp_path)
    stub.clock.skew_ms = skew_ms
    seen = []

    def listener(record):
        if record.kind == "closed":
            seen.append((record.time, record.trade.reason, stub.clock()))

    run(stub, tmp_path, buy(), 9, listener=listener)
    assert [(time, reason) for time, reason, _ in seen] == [(bar(6), "stop")]
    assert seen[0][2] >= bar(7)


def test_a_running_candle_is_waited_for_while_the_exchange_tells_a_later_time(stub, tmp_path):
    """The clock of the exchange's candles reaches the close while the feed waits; the bar is whole."""
    stub.clock.skew_ms = 2_000

    def before(time):
        if time == bar(3):
            stub.clock.set(bar(4) - 700)
            stub.clock.speed = 1.0
            stub.clock.set(bar(4) - 700)

    script = buy()
    session = run(stub, tmp_path, script, 4, before=before, patience_s=5.0)
    assert session.engine.time == bar(4)
    assert stub.clock() >= bar(4)
    assert (A, 3) in script.asked


def test_the_time_cannot_be_read(stub, tmp_path):
    """By the local clock, and nothing is entered."""
    opened(stub, tmp_path)
    stub.faults.add(Fault("status", path="time", code=403, times=0))
    session = run(stub, tmp_path, buy(), 9)
    assert [(trade.reason, trade.exit_time) for trade in session.engine.account.trades] == [("stop", bar(6))]
    assert len(records(tmp_path, FilledRecord)) == 1
