"""Markets whose candles are refused: a missing feed, until the exchange itself says that they are gone."""

import json

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.types import Action
from quorate.trading.journal import FeedRecord, FilledRecord
from stubs.binance import BinanceStub, Fault
from stubs.live import FIRST, A, B, C, Script, bar, flat, records, run, serve

REFUSALS = [
    Fault("status", path="klines", symbol="AAAUSDT", code=403, times=0),
    Fault("status", path="klines", symbol="AAAUSDT", code=404, times=0),
    Fault("status", path="klines", symbol="AAAUSDT", code=451, times=0),
    Fault("refusal", path="klines", symbol="AAAUSDT", code=-1120, times=0),
    Fault("refusal", path="klines", symbol="AAAUSDT", code=-1121, times=0),
]
ALL = [
    Fault("status", code=403, times=0),
    Fault("status", code=451, times=0),
    Fault("status", code=404, times=0),
    Fault("refusal", code=-1121, times=0),
]


def crash(number, low=80.0):
    """Candles whose bar of this number, of the session, falls to `low` and comes back."""
    columns = flat()
    columns["low"][120 + number] = low
    return columns


@pytest.fixture
def exchange(tmp_path):
    """Build an exchange of three markets; a stop of a long in A is crossed in bar 6."""

    def make(columns=None):
        serve(tmp_path / "served", {A: columns or crash(6), B: flat(50.0), C: flat(2.0)})
        return BinanceStub(tmp_path / "served", now=bar(0) + HOUR_MS + 100)

    return make


def buy():
    return Script({(A, 1): Action.BUY, (B, 1): Action.BUY})


def steps(stub, refusing, fault):
    """Enable a fault in bars of the session."""

    def before(time):
        stub.faults.clear()
        if (time - FIRST) // HOUR_MS in refusing:
            for each in fault if isinstance(fault, list) else [fault]:
                stub.faults.add(Fault(**vars(each)))

    return before


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: f"{fault.kind}{fault.code}")
def test_a_stop_crossed_while_candles_were_refused_is_found_afterwards(exchange, tmp_path, fault):
    with exchange() as stub:
        script = buy()
        session = run(stub, tmp_path, script, 12, before=steps(stub, range(5, 8), fault))
    trades = session.engine.account.trades
    assert [(trade.symbol, trade.reason, trade.exit_time) for trade in trades] == [(A, "stop", bar(8))]
    assert trades[0].exit_price == pytest.approx(trades[0].stop, rel=1e-3)
    assert list(session.engine.account.positions) == [B]
    assert not [number for symbol, number in script.asked if symbol == A and number in range(5, 8)]
    said = [(record.notice, record.symbol) for record in records(tmp_path, FeedRecord)]
    assert said == [("late", A), ("stale", A), ("fresh", A)]


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: f"{fault.kind}{fault.code}")
def test_positions_of_a_refused_market_stay_and_none_is_entered(exchange, tmp_path, fault):
    with exchange(flat()) as stub:
        script = Script({(A, 1): Action.BUY, (A, 4): Action.BUY, (A, 9): Action.BUY})
        session = run(stub, tmp_path, script, 12, before=steps(stub, range(3, 12), fault))
    assert session.engine.account.trades == []
    assert list(session.engine.account.positions) == [A]
    assert len(records(tmp_path, FilledRecord)) == 1


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: f"{fault.kind}{fault.code}")
def test_an_exchange_that_refuses_everything_closes_nothing(exchange, tmp_path, fault):
    with exchange() as stub:
        session = run(stub, tmp_path, buy(), 12, before=steps(stub, range(5, 8), fault), gone_bars=2)
    assert [(trade.symbol, trade.reason) for trade in session.engine.account.trades] == [(A, "stop")]
    assert list(session.engine.account.positions) == [B]


@pytest.mark.parametrize("markets", [[], [{"symbol": "ZZZUSDT"}]], ids=["empty", "foreign"])
def test_a_market_list_that_is_not_the_exchanges_closes_nothing(exchange, tmp_path, markets):
    with exchange() as stub:
        info = stub.answers.answer(True, "exchangeInfo", {})
        symbols = [{**info["symbols"][0], **market} for market in markets]
        faults = [
            Fault("body", path="exchangeInfo", body=json.dumps({**info, "symbols": symbols}), times=0),
            Fault("refusal", path="klines", code=-1121, times=0),
        ]
        session = run(stub, tmp_path, buy(), 12, before=steps(stub, range(5, 8), faults), gone_bars=2)
    assert [(trade.symbol, trade.reason) for trade in session.engine.account.trades] == [(A, "stop")]
    assert list(session.engine.account.positions) == [B]


def test_maintenance_that_stops_every_market_closes_nothing(exchange, tmp_path):
    with exchange() as stub:
        info = stub.answers.answer(True, "exchangeInfo", {})
        halted = [{**symbol, "status": "SETTLING"} for symbol in info["symbols"]]
        faults = [
            Fault("body", path="exchangeInfo", body=json.dumps({**info, "symbols": halted}), times=0),
            Fault("refusal", path="klines", code=-1121, times=0),
        ]
        session = run(stub, tmp_path, buy(), 12, before=steps(stub, range(5, 8), faults), gone_bars=2)
    assert list(session.engine.account.positions) == [B]


@pytest.mark.parametrize("how", ["status", "absent", "delivered", "silent"])
def test_a_market_that_the_list_says_is_gone_is_closed_at_the_last_price(exchange, tmp_path, how):
    with exchange(flat()) as stub:
        info = stub.answers.answer(True, "exchangeInfo", {})
        listed = {
            "absent": [symbol for symbol in info["symbols"] if symbol["symbol"] != "AAAUSDT"],
            "delivered": [
                {**symbol, "deliveryDate": bar(4)} if symbol["symbol"] == "AAAUSDT" else symbol
                for symbol in info["symbols"]
            ],
        }

        def before(time):
            stub.faults.clear()
            if time >= bar(5):
                if how in listed:
                    body = json.dumps({**info, "symbols": listed[how]})
                    stub.faults.add(Fault("body", path="exchangeInfo", body=body, times=0))
                    stub.faults.add(Fault("refusal", path="klines", symbol="AAAUSDT", code=-1121, times=0))
                elif how == "silent":
                    # Candles end without an error, as on exchanges that keep those of delisted markets.
                    info_now = [
                        {**symbol, "status": "SETTLING"} if symbol["symbol"] == "AAAUSDT" else symbol
                        for symbol in info["symbols"]
                    ]
                    body = json.dumps({**info, "symbols": info_now})
                    stub.faults.add(Fault("body", path="exchangeInfo", body=body, times=0))
                    stub.faults.add(Fault("missing", path="klines", symbol="AAAUSDT", since=bar(5), times=0))
                else:
                    stub.answers.delisted.add("AAAUSDT")

        session = run(stub, tmp_path, buy(), 9, before=before)
    (trade,) = session.engine.account.trades
    assert (trade.symbol, trade.reason) == (A, "end")
    assert trade.exit_time == (bar(6) if how == "silent" else bar(5))
    assert trade.exit_price == pytest.approx(100.1 * (1 - 0.0002), rel=1e-9)  # the last close, with slippage
    assert list(session.engine.account.positions) == [B]
    assert [record.notice for record in records(tmp_path, FeedRecord)][-1] == "gone"


@pytest.mark.parametrize("bars", [3, 5])
def test_without_a_market_list_several_bars_of_refusals_agree(exchange, tmp_path, bars):
    faults = [
        Fault("status", path="exchangeInfo", code=503, times=0),
        Fault("refusal", path="klines", symbol="AAAUSDT", code=-1121, times=0),
    ]
    with exchange(flat()) as stub:
        session = run(stub, tmp_path, buy(), 12, before=steps(stub, range(5, 12), faults), gone_bars=bars)
    (trade,) = session.engine.account.trades
    assert (trade.symbol, trade.reason, trade.exit_time) == (A, "end", bar(5 + bars - 1))


def test_a_refusal_that_passes_within_the_bar_is_not_noticed(exchange, tmp_path):
    with exchange(flat()) as stub:
        once = Fault("status", path="klines", symbol="AAAUSDT", code=403, times=1)
        run(stub, tmp_path, buy(), 12, before=steps(stub, range(5, 8), once), patience_s=5.0)
    assert records(tmp_path, FeedRecord) == []


def test_a_session_restarted_while_a_market_is_refused(exchange, tmp_path):
    """A kill during the refusal: the second session knows nothing of the first but its journal."""
    with exchange() as stub:
        run(stub, tmp_path, buy(), 7, before=steps(stub, range(5, 8), REFUSALS[0]))
        session = run(stub, tmp_path, buy(), 12, before=steps(stub, range(5, 8), REFUSALS[0]))
    assert [(trade.symbol, trade.reason, trade.exit_time) for trade in session.engine.account.trades] == [
        (A, "stop", bar(8))
    ]


def test_the_markets_in_use_are_not_replaced_by_a_foreign_list(exchange, tmp_path):
    """Candles are asked for by the names that the client knows."""
    with exchange(flat()) as stub:
        info = stub.answers.answer(True, "exchangeInfo", {})
        faults = [
            Fault("body", path="exchangeInfo", body=json.dumps({**info, "symbols": []}), times=0),
            Fault("refusal", path="klines", symbol="AAAUSDT", code=-1121, times=0),
        ]
        script = buy()
        run(stub, tmp_path, script, 9, before=steps(stub, range(3, 5), faults))
    assert {number for symbol, number in script.asked if symbol == C} == set(range(9))
