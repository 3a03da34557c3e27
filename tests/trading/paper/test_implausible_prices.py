"""Prices that cannot be true wait; jumps that are real do not stop the account."""

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.types import Action
from quorate.trading.journal import ClosedRecord, FeedRecord, FilledRecord, RefusedRecord
from stubs.binance import BinanceStub, Fault
from stubs.live import FIRST, FIRST_BAR, A, B, C, Script, bar, flat, records, run, serve

OPEN, HIGH, LOW, CLOSE = 1, 2, 3, 4


@pytest.fixture
def exchange(tmp_path):
    """Build an exchange of three markets, by default without mark prices."""

    def make(columns=None, marks=None):
        serve(tmp_path / "served", {A: columns or flat(), B: flat(50.0), C: flat(2.0)}, marks)
        return BinanceStub(tmp_path / "served", now=bar(0) + HOUR_MS + 100)

    return make


def spoil(stub, *faults):
    """Enable each fault at the closes of some bars: (numbers of the bars, fault)."""

    def before(time):
        stub.faults.clear()
        for numbers, fault in faults:
            if (time - FIRST) // HOUR_MS in numbers:
                stub.faults.add(Fault(**vars(fault)))

    return before


def spike(number, columns, factor=1000.0, path="klines"):
    return Fault("spike", path=path, symbol="AAAUSDT", since=bar(number), columns=columns, factor=factor, times=0)


def notices(folder):
    return [(record.notice, record.symbol) for record in records(folder, FeedRecord)]


@pytest.mark.parametrize("factor", [1000.0, 1e-3, 1e12, 1.5])
def test_an_order_is_not_filled_at_an_open_that_is_no_price(exchange, tmp_path, factor):
    with exchange() as stub:
        # The running bar after the decision; its closed candle is true.
        run(
            stub,
            tmp_path,
            Script({(A, 2): Action.BUY, (A, 4): Action.BUY}),
            9,
            before=spoil(stub, ([2], spike(3, (OPEN, HIGH, LOW, CLOSE), factor))),
        )
    assert [(record.order.decided, record.time) for record in records(tmp_path, FilledRecord)] == [(bar(4), bar(5))]
    assert [record.reason for record in records(tmp_path, RefusedRecord)] == ["no_next_bar"]
    (notice,) = records(tmp_path, FeedRecord)
    assert (notice.notice, notice.symbol, notice.time) == ("implausible", A, bar(3))
    assert "is not believed" in notice.detail


def test_a_position_is_not_closed_at_an_open_that_is_no_price(exchange, tmp_path):
    """The time exit waits for the next open."""
    with exchange() as stub:
        session = run(
            stub,
            tmp_path,
            Script({(A, 1): Action.SELL}),
            9,
            horizon=3,
            before=spoil(stub, ([4], spike(5, (OPEN, HIGH, LOW, CLOSE), 1e-3))),
        )
    (trade,) = session.engine.account.trades
    assert (trade.reason, trade.exit_time) == ("time", bar(6))
    assert abs(trade.gross_usd) < 0.01 * trade.quantity * 100


def test_an_open_is_filled_once_another_response_is_plausible(exchange, tmp_path):
    with exchange() as stub:
        once = spike(3, (OPEN, HIGH, LOW, CLOSE))
        once.times = 1
        run(stub, tmp_path, Script({(A, 2): Action.BUY}), 6, before=spoil(stub, ([2], once)), symbols=[A])
    assert [record.time for record in records(tmp_path, FilledRecord)] == [bar(3)]


def jump(number, factor, columns=None):
    """Candles that are at another level from the open of this bar on."""
    columns = columns or flat()
    for name in ("open", "high", "low", "close"):
        columns[name][FIRST_BAR + number :] *= factor
    return columns


@pytest.mark.parametrize("factor", [0.6, 1.8])
def test_a_real_jump_with_the_mark_price_is_traded_at_once(exchange, tmp_path, factor):
    with exchange(jump(3, factor), {A: jump(3, factor)}) as stub:
        run(stub, tmp_path, Script({(A, 2): Action.BUY}), 6)
    (fill,) = records(tmp_path, FilledRecord)
    assert (fill.time, fill.entry.reference_price) == (bar(3), pytest.approx(100.1 * factor))
    assert notices(tmp_path) == []


@pytest.mark.parametrize("factor", [0.6, 1.8])
def test_a_real_jump_without_mark_prices_is_traded_after_a_bar(exchange, tmp_path, factor):
    with exchange(jump(3, factor)) as stub:
        script = Script({(A, 2): Action.BUY, (A, 4): Action.BUY})
        run(stub, tmp_path, script, 9)
    (fill,) = records(tmp_path, FilledRecord)
    assert fill.time == bar(5)
    assert [number for symbol, number in script.asked if symbol == A] == [0, 1, 2, 4, 5, 6, 7, 8]
    assert [kind for kind, _ in notices(tmp_path)] == ["implausible", "faulty", "fresh"]


def test_a_stop_in_a_real_crash_is_found_a_bar_later_where_nothing_else_agrees(exchange, tmp_path):
    """The crash of bar 3 is doubted, and believed once bar 4 is there too: the exit is at the stop's price."""
    columns = flat()
    columns["low"][FIRST_BAR + 3] = columns["close"][FIRST_BAR + 3] = 60.0
    jump(4, 0.6, columns)
    with exchange(columns) as stub:
        session = run(stub, tmp_path, Script({(A, 1): Action.BUY}), 8)
    (trade,) = session.engine.account.trades
    assert (trade.reason, trade.exit_time) == ("stop", bar(4))
    assert trade.exit_price == pytest.approx(trade.stop, rel=1e-3)


@pytest.mark.parametrize("columns", [(HIGH,), (LOW,), (CLOSE, HIGH), (CLOSE, LOW), (OPEN, HIGH, LOW, CLOSE)], ids=str)
@pytest.mark.parametrize("action", [Action.BUY, Action.SELL])
def test_no_exit_at_a_closed_candle_that_cannot_be_true(exchange, tmp_path, columns, action):
    """The exchange keeps to its word: the bar remains a gap, and the account goes on."""
    factor = 1e-3 if LOW in columns and HIGH not in columns else 1000.0
    columns = columns if len(columns) < 4 else (OPEN, HIGH, LOW, CLOSE)
    with exchange() as stub:
        fault = spike(4, columns, factor)
        session = run(stub, tmp_path, Script({(A, 1): action}), 9, before=spoil(stub, (range(4, 9), fault)))
    account = session.engine.account
    assert account.trades == []
    assert list(account.positions) == [A]
    assert account.equity_usd == pytest.approx(account.settings.equity_usd, abs=2.0)
    assert ("implausible", A) in notices(tmp_path)
    assert [kind for kind, _ in notices(tmp_path)][-1] == "fresh"


def test_a_spike_that_is_no_change_of_scale_is_believed_a_bar_later(exchange, tmp_path):
    """As in stored candles, a spike is said and used: a stop that it touches closes the position."""
    columns = flat()
    columns["low"][FIRST_BAR + 4] = 70.0
    with exchange(columns) as stub:
        session = run(stub, tmp_path, Script({(A, 1): Action.BUY}), 9)
    (trade,) = session.engine.account.trades
    assert (trade.reason, trade.exit_time) == ("stop", bar(5))


def test_mark_prices_that_cannot_be_true_liquidate_nobody(exchange, tmp_path):
    with exchange(flat(), {A: flat()}) as stub:
        fault = spike(4, (OPEN, HIGH, LOW, CLOSE), 1e-3, path="markPriceKlines")
        session = run(stub, tmp_path, Script({(A, 1): Action.BUY}), 9, before=spoil(stub, (range(4, 9), fault)))
    assert session.engine.account.trades == []
    assert session.engine.account.positions[A].mark_known is False
    assert ("implausible", A) in notices(tmp_path)


BODIES = {
    "zero": lambda time: [time, "0", "0", "0", "0", "1"],
    "nan": lambda time: [time, "NaN", "NaN", "NaN", "NaN", "1"],
    "negative": lambda time: [time, "-1", "-1", "-1", "-1", "1"],
    "seconds": lambda time: [time // 1000, "1", "1", "1", "1", "1"],
    "microseconds": lambda time: [time * 1000, "1", "1", "1", "1", "1"],
    "future": lambda time: [time + 10 * HOUR_MS, "1", "1", "1", "1", "1"],
    "off the grid": lambda time: [time + 1, "1", "1", "1", "1", "1"],
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("action", [Action.BUY, Action.SELL])
def test_rows_that_are_no_candles_trade_nothing(exchange, tmp_path, kind, action):
    with exchange() as stub:

        def before(time):
            stub.faults.clear()
            if bar(3) <= time <= bar(5):
                row = BODIES[kind](time)
                body = f"[{list(map(str, row))}]".replace("'", '"').replace(f'"{row[0]}"', str(row[0]))
                stub.faults.add(Fault("body", path="klines", symbol="AAAUSDT", body=body, times=0))

        session = run(stub, tmp_path, Script({(A, 1): action, (A, 4): action}), 9, before=before)
    assert session.engine.account.trades == []
    assert list(session.engine.account.positions) == [A]
    assert [record.time for record in records(tmp_path, FilledRecord)] == [bar(2)]
    assert [kind for kind, _ in notices(tmp_path)][-1] == "fresh"


@pytest.mark.parametrize("factor", [100.0, 0.01])
@pytest.mark.parametrize("action", [Action.BUY, Action.SELL])
@pytest.mark.parametrize("marked", [True, False])
def test_a_new_scale_after_a_halt_is_no_profit_and_no_loss(tmp_path, factor, action, marked):
    """A redenomination: with mark prices that agree it is seen at once, else once the next bar agrees."""
    columns = jump(7, factor)
    serve(
        tmp_path / "served",
        {A: columns, B: flat(50.0), C: flat(2.0)},
        {A: columns} if marked else None,
        {A: range(4, 7)},
    )
    with BinanceStub(tmp_path / "served", now=bar(0) + HOUR_MS + 100) as stub:
        session = run(stub, tmp_path, Script({(A, 1): action, (A, 6): action, (A, 20): action}), 24, horizon=6)
    account = session.engine.account
    first = account.trades[0]
    assert (first.reason, first.exit_time) == ("end", bar(7) if marked else bar(8))
    assert first.exit_price == pytest.approx(100.0, rel=0.002)
    assert abs(account.equity_usd - account.settings.equity_usd) < 3.0
    assert all(trade.exit_price == pytest.approx(trade.entry_price, rel=0.05) for trade in account.trades)


def test_nothing_is_lost_or_doubled_by_a_stop_in_the_midst(exchange, tmp_path):
    """A session that ends and one that begins at every bar: the same fills and exits as one session."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    with exchange(jump(4, 0.6)) as stub:
        script = {(A, 1): Action.BUY, (B, 1): Action.SELL, (A, 6): Action.BUY}
        fault = [(range(2, 4), spike(3, (OPEN, HIGH, LOW, CLOSE))), (range(5, 7), spike(6, (HIGH,)))]
        for folder in (whole, parts):
            folder.mkdir()
            stub.clock.set(bar(0) + HOUR_MS + 100)
            for bars in [10] if folder is whole else range(1, 11):
                run(stub, folder, Script(script), bars, before=spoil(stub, *fault))
    for kind in (FilledRecord, ClosedRecord):
        assert records(parts, kind) == records(whole, kind)
    assert np.isfinite([record.trade.net_usd for record in records(whole, ClosedRecord)]).all()
