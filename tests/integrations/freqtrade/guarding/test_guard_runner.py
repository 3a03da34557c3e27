"""Guards of Freqtrade's entries: their inputs, and the same state after any restart."""

import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import FreqtradeError, GuardError, JournalError, JournalUnavailableError
from quorate.core.settings import GuardSettings
from quorate.integrations.freqtrade import BarSummary, GuardRunner
from quorate.integrations.freqtrade.guarding.guard_journal import GuardJournal
from quorate.integrations.freqtrade.guarding.guard_runner import read_guard_runner
from quorate.integrations.freqtrade.guarding.trade_records import read_trade

BTC = "BTC/USDT:USDT"


@dataclass
class Record:
    """The fields of Freqtrade's trades that are read; tests with the real program use its class."""

    id: int
    closed: int
    profit: float
    pair: str = BTC
    is_short: bool = False
    amount: float = 1.0
    leverage: float = 5.0
    stake_amount: float = 20.0
    open_rate: float = 100.0
    close_rate: float = 99.0
    stop_loss: float = 98.0
    fee_open_cost: float = 0.05
    fee_close_cost: float = 0.05
    funding_fees: float = -0.5
    exit_reason: str = "stop_loss"

    @property
    def close_profit_abs(self):
        return self.profit

    @property
    def open_date_utc(self):
        return datetime.fromtimestamp((self.closed - HOUR_MS) / 1000, UTC)

    @property
    def close_date_utc(self):
        return datetime.fromtimestamp(self.closed / 1000, UTC)


def trade(number, profit, hour=None):
    record = Record(number, (number if hour is None else hour) * HOUR_MS, profit)
    return str(record.id), read_trade(record)


def bar(hour, equity=1_000.0, valid=4, bases=(), **volatility):
    return BarSummary(hour * HOUR_MS, equity, valid, tuple(bases), volatility or {BTC: 0.01})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "quorate" / "guards.jsonl"


def start(path, settings=None):
    """Start a bot: rebuild its guards from the journal."""
    runner = GuardRunner(settings or GuardSettings(), GuardJournal(path))
    runner.replay()
    runner.complete_pending()
    return runner


def state(runner):
    return runner.guards.to_json(), runner.bar, runner.newest_close


def test_the_net_result_of_a_trade_is_freqtrades():
    trade = read_trade(Record(1, 5 * HOUR_MS, -9.0))
    assert trade.net_usd == pytest.approx(-9.0)
    assert (trade.symbol, trade.side, trade.reason, trade.exit_time) == (BTC, 1, "stop", 5 * HOUR_MS)
    assert trade.fee_usd == pytest.approx(0.1)


def test_three_losses_in_a_row_halt_until_rearmed_across_restarts(path):
    runner = start(path)
    runner.record_trades([trade(1, -9), trade(2, -9)])
    assert runner.may_enter(BTC, 3 * HOUR_MS).allowed
    runner = start(path)
    runner.record_trades([trade(1, -9), trade(2, -9), trade(3, -9)])
    assert not runner.may_enter(BTC, 4 * HOUR_MS).allowed
    runner = start(path)
    check = runner.may_enter(BTC, 400 * HOUR_MS)
    assert (check.allowed, runner.guards.mode) == (False, "HALTED")
    assert "each lost more than 8.00" in check.why
    read_guard_runner(path.parent.parent).rearm("losses", 5 * HOUR_MS, "Ada")
    assert not runner.may_enter(BTC, 6 * HOUR_MS).allowed
    runner.replay()
    assert runner.may_enter(BTC, 6 * HOUR_MS).allowed
    assert start(path).may_enter(BTC, 6 * HOUR_MS).allowed


def test_a_trade_is_recorded_once(path):
    runner = start(path)
    for _ in range(5):
        runner.record_trades([trade(1, -9)])
    runner = start(path)
    runner.record_trades([trade(1, -9)])
    assert runner.may_enter(BTC, 2 * HOUR_MS).allowed
    assert sum('"kind":"trade"' in line for line in path.read_text().splitlines()) == 1


def test_the_daily_loss_limit_halts_until_rearmed_on_a_later_day(path):
    runner = start(path)
    runner.record_bar(bar(1, 1_000.0))
    runner.record_bar(bar(2, 974.0))
    check = runner.may_enter(BTC, 3 * HOUR_MS)
    assert (check.allowed, check.until) == (False, DAY_MS)
    with pytest.raises(GuardError, match="or later"):
        start(path).rearm("drawdown", 4 * HOUR_MS, "Ada")
    start(path).rearm("drawdown", DAY_MS, "Ada")
    assert start(path).may_enter(BTC, DAY_MS).allowed


def test_guards_of_members_confidence_and_volatility(path):
    runner = start(path, GuardSettings(signals=4, signals_needed=2))
    runner.record_bar(bar(1, valid=2))
    assert "fewer than 3" in runner.may_enter(BTC, HOUR_MS).why
    for hour in range(2, 7):
        runner.record_bar(bar(hour))
    assert runner.may_enter(BTC, 7 * HOUR_MS).allowed
    for hour in range(7, 10):
        runner.record_bar(bar(hour, **{BTC: 0.09, "ETH/USDT:USDT": math.nan}))
    assert not runner.may_enter(BTC, 10 * HOUR_MS).allowed
    assert runner.may_enter("ETH/USDT:USDT", 10 * HOUR_MS).allowed
    for hour in range(10, 13):
        runner.record_bar(bar(hour))
    assert runner.may_enter(BTC, 13 * HOUR_MS).allowed
    runner.record_bar(bar(13, bases=(0.5, 0.55)))
    assert runner.guards.mode == "HALTED"
    assert state(start(path, GuardSettings(signals=4, signals_needed=2))) == state(runner)


def test_without_a_bundle_members_are_not_counted(path):
    runner = start(path)
    runner.record_bar(bar(1, valid=None))
    assert runner.may_enter(BTC, HOUR_MS).allowed


@pytest.mark.parametrize("seed", range(8))
def test_a_restart_at_any_time_changes_nothing(tmp_path, seed):
    """Two bots get the same inputs; one is restarted at random, sometimes after a partial line in its journal."""
    rng = random.Random(seed)
    settings = GuardSettings(signals=6, signals_needed=3)
    steady_path, restarted_path = tmp_path / "steady.jsonl", tmp_path / "restarted.jsonl"
    steady, restarted = start(steady_path, settings), start(restarted_path, settings)
    for hour in range(1, 120):
        events = [("trade", trade(hour, rng.choice([-12.0, -9.0, 5.0])))] if rng.random() < 0.4 else []
        summary = bar(
            hour,
            1_000 + rng.uniform(-30, 30) if rng.random() < 0.95 else math.nan,
            rng.choice([2, 3, 4, 4]),
            [rng.uniform(0.4, 0.9) for _ in range(rng.randrange(3))],
            **{BTC: rng.choice([0.01, 0.07, 0.09, math.nan]), "ETH/USDT:USDT": rng.choice([0.02, 0.1])},
        )
        events.append(("bar", summary))
        if rng.random() < 0.1 and (halted := [guard.name for guard in steady.guards if guard.mode == "HALTED"]):
            events.append(("rearm", halted[0]))
        for kind, value in events:
            if rng.random() < 0.3:
                if restarted_path.exists() and rng.random() < 0.5:
                    with restarted_path.open("ab") as handle:
                        handle.write(b'{"kind":"bar","time":')
                restarted = start(restarted_path, settings)
            for runner in (steady, restarted):
                if kind == "trade":
                    runner.record_trades([value])
                elif kind == "bar":
                    runner.record_bar(value)
                else:
                    try:
                        runner.rearm(value, hour * HOUR_MS, "Ada")
                    except GuardError:
                        assert steady.guards.mode == "HALTED"
        assert state(restarted) == state(steady)
    assert state(start(restarted_path, settings)) == state(start(steady_path, settings)) == state(steady)
    moves = [json.loads(line) for line in steady_path.read_text().splitlines() if '"kind":"move"' in line]
    assert len(moves) > 5


def test_a_move_lost_in_a_crash_is_written_at_the_next_start(path):
    runner = start(path)
    runner.record_bar(bar(1, valid=2))
    lines = path.read_text().splitlines(keepends=True)
    assert [json.loads(line)["kind"] for line in lines] == ["bar", "move"]
    path.write_text(lines[0])
    restarted = start(path)
    assert restarted.guards.mode == "REDUCING"
    assert path.read_text().splitlines(keepends=True) == lines


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_partial_last_line_is_removed(path, cut):
    """A crash may cut a line anywhere, also after its closing brace."""
    runner = start(path)
    runner.record_trades([trade(1, -9)])
    runner.record_trades([trade(2, -9)])
    path.write_bytes(path.read_bytes()[:-cut])
    restarted = start(path)
    restarted.record_trades([trade(1, -9), trade(2, -9)])
    assert [json.loads(line)["kind"] for line in path.read_text().splitlines()] == ["trade", "trade"]
    assert state(restarted) == state(runner)


def test_a_journal_is_locked_by_one_bot(path):
    first, second = GuardJournal(path), GuardJournal(path)
    first.lock()
    with pytest.raises(FreqtradeError, match="another bot"):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()


def test_an_altered_journal_and_one_that_cannot_be_written_are_refused(path):
    runner = start(path)
    runner.record_trades([trade(1, -9)])
    content = path.read_text()
    path.write_text(content.replace('"exit_time"', '"exit"'))
    with pytest.raises(JournalError, match="rebuild the guards"):
        start(path)
    path.write_text('{"kind": "nonsense"}\n' + content)
    with pytest.raises(JournalError, match="nonsense"):
        start(path)
    folder = path.parent / "folder.jsonl"
    folder.mkdir()
    with pytest.raises(JournalUnavailableError):
        GuardRunner(GuardSettings(), GuardJournal(folder)).record_bar(bar(1))


def test_a_bar_that_could_not_be_written_can_be_recorded_again(path):
    runner = start(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir()
    with pytest.raises(JournalUnavailableError):
        runner.record_bar(bar(1, valid=2))
    assert runner.bar is None
    path.rmdir()
    runner.record_bar(bar(1, valid=2))
    assert runner.guards.mode == "REDUCING"


def test_reading_guards_without_a_journal_is_refused(tmp_path):
    with pytest.raises(FreqtradeError, match="`journal`"):
        read_guard_runner(tmp_path)
