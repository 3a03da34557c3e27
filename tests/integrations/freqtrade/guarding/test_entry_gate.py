"""What the guards hear of Freqtrade, with stand-ins for its trades and wallets; the real ones run in test_dry_run."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import FreqtradeError
from quorate.core.settings import GuardSettings
from quorate.integrations.freqtrade import BundleSource, Forecaster
from quorate.integrations.freqtrade.guarding.entry_gate import EntryGate

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
START_MS = 1_704_067_200_000


@dataclass
class Profit:
    profit_abs: float


@dataclass
class Record:
    """One of Freqtrade's trades: 2 units bought at 50 with a margin of 20."""

    id: int
    pair: str = BTC
    closed_ms: int | None = None
    close_profit_abs: float | None = None
    is_short: bool = False
    amount: float = 2.0
    leverage: float = 5.0
    stake_amount: float = 20.0
    open_rate: float = 50.0
    close_rate: float = 49.0
    stop_loss: float = 49.0
    fee_open_cost: float = 0.05
    fee_close_cost: float = 0.05
    funding_fees: float = 0.0
    exit_reason: str = "time"
    open_date_utc: datetime = field(default_factory=lambda: datetime.fromtimestamp(START_MS / 1000, UTC))

    @property
    def close_date_utc(self):
        return None if self.closed_ms is None else datetime.fromtimestamp(self.closed_ms / 1000, UTC)

    def calculate_profit(self, rate):
        return Profit(2.0 * (rate - self.open_rate) - 0.1)


class Records:
    """Freqtrade's trades, asked as Freqtrade lets them be asked."""

    use_db = False

    def __init__(self, *trades):
        self.trades = list(trades)

    def get_trades_proxy(self, *, is_open, close_date=None):
        found = [one for one in self.trades if (one.closed_ms is None) == is_open]
        return [one for one in found if close_date is None or one.close_date_utc > close_date]


class Wallets:
    def __init__(self, free=1_000.0):
        self.free = free

    def get_free(self, currency):
        assert currency == "USDT"
        return self.free


@pytest.fixture
def make_desk(world, make_options):
    def make(runmode="backtest", limits=None, **own):
        from dataclasses import replace

        from integrations.freqtrade.conftest import settings

        base = replace(settings(), guards=limits or GuardSettings(models=2))
        options = make_options(runmode, base=base, guards="always", **own)
        source = BundleSource(options)
        source.start()
        forecaster = Forecaster(options, source)
        for pair in (BTC, ETH):
            forecaster.columns(world.panel[pair].to_pandas(), pair, "1h")
        desk = EntryGate(options, source, forecaster, "1h", "USDT")
        desk.start()
        return desk

    return make


def at(bars):
    """The moment at which so many bars have closed, in ms."""
    return START_MS + bars * HOUR_MS


def news(desk, bars, *trades, free=1_000.0):
    """What the guards are told at that moment."""
    told = desk._forecaster.all_told(at(bars - 1))
    return desk._news(at(bars - 1), told, Records(*trades), Wallets(free))


def test_equity_is_free_stake_and_what_open_trades_are_worth_at_the_last_close(world, make_desk):
    close = float(world.panel[BTC].close[1_499])
    assert news(make_desk(), 1_500).equity_usd == 1_000.0
    one = news(make_desk(), 1_500, Record(1), Record(2, closed_ms=at(3), close_profit_abs=5.0), free=980.0)
    assert one.equity_usd == pytest.approx(980.0 + 20.0 + 2 * (close - 50) - 0.1)


def test_a_bar_tells_what_was_decided_on_it(world, make_desk):
    desk = make_desk()
    frames = {pair: desk._forecaster.told(pair).decisions for pair in (BTC, ETH)}
    for bars in range(1_400, 1_420):
        told = news(desk, bars)
        acted = [float(frame.base[bars - 1]) for frame in frames.values() if frame.action[bars - 1] != 1]
        assert told.time == at(bars - 1)
        assert list(told.bases) == pytest.approx(acted)
        assert told.valid == 2
        assert told.volatility == {pair: pytest.approx(frames[pair].volatility[bars - 1]) for pair in (BTC, ETH)}


def test_a_bar_is_heard_once_and_only_when_it_has_been_decided_on(make_desk):
    desk = make_desk()
    desk.hear(at(1_500) + 5_000, Records(), Wallets())
    assert desk.sentry.bar == at(1_499)
    desk.hear(at(1_500) + 10_000, Records(), Wallets(500.0))
    assert desk.sentry.guards.mode == "ACTIVE"
    desk.hear(at(1_501), Records(), Wallets(990.0))
    assert desk.sentry.bar == at(1_500)
    # The candles end with bar 1,699: of the next one nobody knows anything yet.
    desk.hear(at(1_702), Records(), Wallets())
    assert desk.sentry.bar == at(1_500)


def test_a_day_that_costs_too_much_stops_entries(make_desk):
    desk = make_desk()
    assert desk.allows(BTC, at(1_500), Records(), Wallets(1_000.0))
    assert not desk.allows(BTC, at(1_501), Records(), Wallets(970.0))
    assert not desk.allows(ETH, at(1_550), Records(), Wallets(2_000.0))


def test_losses_are_counted_in_the_order_in_which_trades_were_closed(make_desk):
    lost = [Record(number, closed_ms=at(1_490 + number), close_profit_abs=-9.0) for number in (3, 1, 2)]
    won = Record(4, closed_ms=at(1_494), close_profit_abs=1.0)
    assert not make_desk().allows(BTC, at(1_500), Records(*lost), Wallets())
    assert make_desk().allows(BTC, at(1_500), Records(won, *lost[:1]), Wallets())
    # A win between them, though Freqtrade tells it last.
    between = Record(4, closed_ms=at(1_492) + 1, close_profit_abs=1.0)
    assert make_desk().allows(BTC, at(1_500), Records(*lost, between), Wallets())


def test_two_members_where_three_are_asked_for(make_desk, caplog):
    desk = make_desk(limits=GuardSettings(models=3))
    assert not desk.allows(BTC, at(1_500), Records(), Wallets())
    assert "2 valid members, fewer than 3" in caplog.text


def test_a_journal_that_cannot_be_written_stops_entries_and_nothing_else(make_desk, tmp_path, caplog):
    desk = make_desk("dry_run", journal="quorate/guards.jsonl")
    assert desk.allows(BTC, at(1_500), Records(), Wallets())
    journal = tmp_path / "quorate" / "guards.jsonl"
    whole = journal.read_bytes()
    journal.unlink()
    journal.mkdir()
    assert not desk.allows(BTC, at(1_501), Records(), Wallets())
    assert "no entries:" in caplog.text
    journal.rmdir()
    journal.write_bytes(whole)
    assert desk.allows(BTC, at(1_501), Records(), Wallets())
    desk.close()


def test_a_bot_that_reloads_its_configuration_finds_the_journal_free(make_desk):
    first = make_desk("dry_run", journal="quorate/guards.jsonl")
    first.hear(at(1_500), Records(), Wallets())
    with pytest.raises(FreqtradeError, match="another bot"):
        make_desk("dry_run", journal="quorate/guards.jsonl")
    first.close()
    second = make_desk("dry_run", journal="quorate/guards.jsonl")
    assert second.sentry.bar == at(1_499)
    second.close()


def test_rules_without_a_bundle_are_not_counted_as_members(make_desk):
    desk = make_desk(limits=GuardSettings(models=3), bundle="nowhere", fallback="rules")
    assert news(desk, 1_500).valid is None
    assert desk.allows(BTC, at(1_500), Records(), Wallets())
