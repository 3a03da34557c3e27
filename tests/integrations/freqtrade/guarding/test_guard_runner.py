"""Guards before Freqtrade's entries: what they hear, and that no restart makes them forget it."""

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
from quorate.integrations.freqtrade.guarding.guard_runner import read_sentry
from quorate.integrations.freqtrade.guarding.trade_records import read_trade

BTC = "BTC/USDT:USDT"


@dataclass
class Record:
    """The fields of Freqtrade's trade that are read; the tests with the real program use its own."""

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


def begin(path, settings=None):
    """The bot starts: whatever the journal holds is known again."""
    sentry = GuardRunner(settings or GuardSettings(), GuardJournal(path))
    sentry.recall()
    sentry.finish()
    return sentry


def state(sentry):
    return sentry.guards.to_json(), sentry.bar, sentry.newest_close


def test_freqtrades_net_result_is_the_one_that_counts():
    known = read_trade(Record(1, 5 * HOUR_MS, -9.0))
    assert known.net_usd == pytest.approx(-9.0)
    assert (known.symbol, known.side, known.reason, known.exit_time) == (BTC, 1, "stop", 5 * HOUR_MS)
    assert known.fee_usd == pytest.approx(0.1)


def test_three_losses_in_a_row_halt_and_only_a_person_clears_it_whatever_restarts(path):
    sentry = begin(path)
    sentry.hear_trades([trade(1, -9), trade(2, -9)])
    assert sentry.may_enter(BTC, 3 * HOUR_MS).allowed
    sentry = begin(path)
    sentry.hear_trades([trade(1, -9), trade(2, -9), trade(3, -9)])
    assert not sentry.may_enter(BTC, 4 * HOUR_MS).allowed
    sentry = begin(path)
    verdict = sentry.may_enter(BTC, 400 * HOUR_MS)
    assert (verdict.allowed, sentry.guards.mode) == (False, "HALTED")
    assert "each lost more than 8.00" in verdict.why
    read_sentry(path.parent.parent).rearm("losses", 5 * HOUR_MS, "Ada")
    assert not sentry.may_enter(BTC, 6 * HOUR_MS).allowed
    sentry.recall()
    assert sentry.may_enter(BTC, 6 * HOUR_MS).allowed
    assert begin(path).may_enter(BTC, 6 * HOUR_MS).allowed


def test_a_trade_is_heard_once_though_freqtrade_tells_it_again(path):
    sentry = begin(path)
    for _ in range(5):
        sentry.hear_trades([trade(1, -9)])
    sentry = begin(path)
    sentry.hear_trades([trade(1, -9)])
    assert sentry.may_enter(BTC, 2 * HOUR_MS).allowed
    assert sum('"kind":"trade"' in line for line in path.read_text().splitlines()) == 1


def test_a_day_that_costs_too_much_halts_until_the_next_day_and_a_person(path):
    sentry = begin(path)
    sentry.hear_bar(bar(1, 1_000.0))
    sentry.hear_bar(bar(2, 974.0))
    verdict = sentry.may_enter(BTC, 3 * HOUR_MS)
    assert (verdict.allowed, verdict.until) == (False, DAY_MS)
    with pytest.raises(GuardError, match="or later"):
        begin(path).rearm("drawdown", 4 * HOUR_MS, "Ada")
    begin(path).rearm("drawdown", DAY_MS, "Ada")
    assert begin(path).may_enter(BTC, DAY_MS).allowed


def test_members_confidence_and_volatility(path):
    sentry = begin(path, GuardSettings(signals=4, signals_needed=2))
    sentry.hear_bar(bar(1, valid=2))
    assert "fewer than 3" in sentry.may_enter(BTC, HOUR_MS).why
    for hour in range(2, 7):
        sentry.hear_bar(bar(hour))
    assert sentry.may_enter(BTC, 7 * HOUR_MS).allowed
    for hour in range(7, 10):
        sentry.hear_bar(bar(hour, **{BTC: 0.09, "ETH/USDT:USDT": math.nan}))
    assert not sentry.may_enter(BTC, 10 * HOUR_MS).allowed
    assert sentry.may_enter("ETH/USDT:USDT", 10 * HOUR_MS).allowed
    for hour in range(10, 13):
        sentry.hear_bar(bar(hour))
    assert sentry.may_enter(BTC, 13 * HOUR_MS).allowed
    sentry.hear_bar(bar(13, bases=(0.5, 0.55)))
    assert sentry.guards.mode == "HALTED"
    assert state(begin(path, GuardSettings(signals=4, signals_needed=2))) == state(sentry)


def test_without_a_bundle_nobody_counts_members(path):
    sentry = begin(path)
    sentry.hear_bar(bar(1, valid=None))
    assert sentry.may_enter(BTC, HOUR_MS).allowed


@pytest.mark.parametrize("seed", range(8))
def test_a_restart_at_any_moment_changes_nothing(tmp_path, seed):
    """Two bots hear the same; one is killed all the time, sometimes with half a line as its last word."""
    chance = random.Random(seed)
    settings = GuardSettings(signals=6, signals_needed=3)
    steady, restless = tmp_path / "steady.jsonl", tmp_path / "restless.jsonl"
    sure, killed = begin(steady, settings), begin(restless, settings)
    for hour in range(1, 120):
        events = [("trade", trade(hour, chance.choice([-12.0, -9.0, 5.0])))] if chance.random() < 0.4 else []
        news = bar(
            hour,
            1_000 + chance.uniform(-30, 30) if chance.random() < 0.95 else math.nan,
            chance.choice([2, 3, 4, 4]),
            [chance.uniform(0.4, 0.9) for _ in range(chance.randrange(3))],
            **{BTC: chance.choice([0.01, 0.07, 0.09, math.nan]), "ETH/USDT:USDT": chance.choice([0.02, 0.1])},
        )
        events.append(("bar", news))
        if chance.random() < 0.1 and (halted := [g.name for g in sure.guards if g.mode == "HALTED"]):
            events.append(("rearm", halted[0]))
        for kind, what in events:
            if chance.random() < 0.3:
                if restless.exists() and chance.random() < 0.5:
                    with restless.open("ab") as handle:
                        handle.write(b'{"kind":"bar","time":')
                killed = begin(restless, settings)
            for sentry in (sure, killed):
                if kind == "trade":
                    sentry.hear_trades([what])
                elif kind == "bar":
                    sentry.hear_bar(what)
                else:
                    try:
                        sentry.rearm(what, hour * HOUR_MS, "Ada")
                    except GuardError:
                        assert sure.guards.mode == "HALTED"
        assert state(killed) == state(sure)
    assert state(begin(restless, settings)) == state(begin(steady, settings)) == state(sure)
    moves = [json.loads(line) for line in steady.read_text().splitlines() if '"kind":"move"' in line]
    assert len(moves) > 5


def test_a_crash_between_a_bar_and_its_move_leaves_the_move_to_the_next_start(path):
    sentry = begin(path)
    sentry.hear_bar(bar(1, valid=2))
    lines = path.read_text().splitlines(keepends=True)
    assert [json.loads(line)["kind"] for line in lines] == ["bar", "move"]
    path.write_text(lines[0])
    again = begin(path)
    assert again.guards.mode == "REDUCING"
    assert path.read_text().splitlines(keepends=True) == lines


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_half_a_line_at_the_end_was_never_acted_upon(path, cut):
    """A crash may cut a line anywhere, behind a brace as well."""
    sentry = begin(path)
    sentry.hear_trades([trade(1, -9)])
    sentry.hear_trades([trade(2, -9)])
    path.write_bytes(path.read_bytes()[:-cut])
    again = begin(path)
    again.hear_trades([trade(1, -9), trade(2, -9)])
    assert [json.loads(line)["kind"] for line in path.read_text().splitlines()] == ["trade", "trade"]
    assert state(again) == state(sentry)


def test_a_journal_belongs_to_one_bot(path):
    first, second = GuardJournal(path), GuardJournal(path)
    first.take()
    with pytest.raises(FreqtradeError, match="another bot"):
        second.take()
    first.leave()
    second.take()
    second.leave()


def test_an_altered_journal_and_one_that_cannot_be_written_are_refused(path):
    sentry = begin(path)
    sentry.hear_trades([trade(1, -9)])
    whole = path.read_text()
    path.write_text(whole.replace('"exit_time"', '"exit"'))
    with pytest.raises(JournalError, match="rebuild the guards"):
        begin(path)
    path.write_text('{"kind": "nonsense"}\n' + whole)
    with pytest.raises(JournalError, match="nonsense"):
        begin(path)
    folder = path.parent / "folder.jsonl"
    folder.mkdir()
    with pytest.raises(JournalUnavailableError):
        GuardRunner(GuardSettings(), GuardJournal(folder)).hear_bar(bar(1))


def test_what_could_not_be_written_is_heard_again(path):
    sentry = begin(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir()
    with pytest.raises(JournalUnavailableError):
        sentry.hear_bar(bar(1, valid=2))
    assert sentry.bar is None
    path.rmdir()
    sentry.hear_bar(bar(1, valid=2))
    assert sentry.guards.mode == "REDUCING"


def test_from_outside_without_a_journal_there_is_nothing_to_show(tmp_path):
    with pytest.raises(FreqtradeError, match="--journal"):
        read_sentry(tmp_path)
