"""Inputs of the guards from stubs of Freqtrade's trades and wallets; test_dry_run uses the real ones."""

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
    """A trade of Freqtrade: 2 units bought at 50 with a margin of 20."""

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


class TradeClass:
    """Stub of Freqtrade's class Trade, for queries."""

    use_db = False

    def __init__(self, *trades):
        self.trades = list(trades)

    def get_trades_proxy(self, *, is_open, close_date=None):
        found = [record for record in self.trades if (record.closed_ms is None) == is_open]
        return [record for record in found if close_date is None or record.close_date_utc > close_date]


class Wallets:
    def __init__(self, free=1_000.0):
        self.free = free

    def get_free(self, currency):
        assert currency == "USDT"
        return self.free


@pytest.fixture
def make_gate(world, make_options):
    def make(runmode="backtest", limits=None, **section):
        from dataclasses import replace

        from integrations.freqtrade.conftest import settings

        base = replace(settings(), guards=limits or GuardSettings(models=2))
        options = make_options(runmode, base=base, guards="always", **section)
        source = BundleSource(options)
        source.start()
        forecaster = Forecaster(options, source)
        for pair in (BTC, ETH):
            forecaster.columns(world.panel[pair].to_pandas(), pair, "1h")
        gate = EntryGate(options, source, forecaster, "1h", "USDT")
        gate.start()
        return gate

    return make


def at(bars):
    """The time in ms at which so many bars have closed."""
    return START_MS + bars * HOUR_MS


def summary(gate, bars, *trades, free=1_000.0):
    """The guards' inputs of the newest bar at that time."""
    forecasts = gate._forecaster.at_bar(at(bars - 1))
    return gate._summarize(at(bars - 1), forecasts, TradeClass(*trades), Wallets(free))


def test_equity_is_free_stake_plus_open_trades_at_the_last_close(world, make_gate):
    close = float(world.panel[BTC].close[1_499])
    assert summary(make_gate(), 1_500).equity_usd == 1_000.0
    with_trades = summary(make_gate(), 1_500, Record(1), Record(2, closed_ms=at(3), close_profit_abs=5.0), free=980.0)
    assert with_trades.equity_usd == pytest.approx(980.0 + 20.0 + 2 * (close - 50) - 0.1)


def test_the_summary_of_a_bar_holds_its_decisions(world, make_gate):
    gate = make_gate()
    frames = {pair: gate._forecaster.latest(pair).decisions for pair in (BTC, ETH)}
    for bars in range(1_400, 1_420):
        found = summary(gate, bars)
        bases = [float(frame.base[bars - 1]) for frame in frames.values() if frame.action[bars - 1] != 1]
        assert found.time == at(bars - 1)
        assert list(found.bases) == pytest.approx(bases)
        assert found.valid == 2
        assert found.volatility == {pair: pytest.approx(frames[pair].volatility[bars - 1]) for pair in (BTC, ETH)}


def test_a_bar_is_recorded_once_and_only_with_a_decision(make_gate):
    gate = make_gate()
    gate.update(at(1_500) + 5_000, TradeClass(), Wallets())
    assert gate.runner.bar == at(1_499)
    gate.update(at(1_500) + 10_000, TradeClass(), Wallets(500.0))
    assert gate.runner.guards.mode == "ACTIVE"
    gate.update(at(1_501), TradeClass(), Wallets(990.0))
    assert gate.runner.bar == at(1_500)
    # The candles end with bar 1,699: there is no decision on the next one.
    gate.update(at(1_702), TradeClass(), Wallets())
    assert gate.runner.bar == at(1_500)


def test_the_daily_loss_limit_stops_entries(make_gate):
    gate = make_gate()
    assert gate.allows(BTC, at(1_500), TradeClass(), Wallets(1_000.0))
    assert not gate.allows(BTC, at(1_501), TradeClass(), Wallets(970.0))
    assert not gate.allows(ETH, at(1_550), TradeClass(), Wallets(2_000.0))


def test_losses_are_counted_in_the_order_in_which_trades_were_closed(make_gate):
    lost = [Record(number, closed_ms=at(1_490 + number), close_profit_abs=-9.0) for number in (3, 1, 2)]
    won = Record(4, closed_ms=at(1_494), close_profit_abs=1.0)
    assert not make_gate().allows(BTC, at(1_500), TradeClass(*lost), Wallets())
    assert make_gate().allows(BTC, at(1_500), TradeClass(won, *lost[:1]), Wallets())
    # A win between them, though Freqtrade lists it last.
    between = Record(4, closed_ms=at(1_492) + 1, close_profit_abs=1.0)
    assert make_gate().allows(BTC, at(1_500), TradeClass(*lost, between), Wallets())


def test_two_valid_members_of_three_required_stop_entries(make_gate, caplog):
    gate = make_gate(limits=GuardSettings(models=3))
    assert not gate.allows(BTC, at(1_500), TradeClass(), Wallets())
    assert "2 valid members, fewer than 3" in caplog.text


def test_a_journal_that_cannot_be_written_stops_entries_only(make_gate, tmp_path, caplog):
    gate = make_gate("dry_run", journal="quorate/guards.jsonl")
    assert gate.allows(BTC, at(1_500), TradeClass(), Wallets())
    journal = tmp_path / "quorate" / "guards.jsonl"
    content = journal.read_bytes()
    journal.unlink()
    journal.mkdir()
    assert not gate.allows(BTC, at(1_501), TradeClass(), Wallets())
    assert "no entries:" in caplog.text
    journal.rmdir()
    journal.write_bytes(content)
    assert gate.allows(BTC, at(1_501), TradeClass(), Wallets())
    gate.close()


def test_closing_unlocks_the_journal_for_a_reloaded_bot(make_gate):
    first = make_gate("dry_run", journal="quorate/guards.jsonl")
    first.update(at(1_500), TradeClass(), Wallets())
    with pytest.raises(FreqtradeError, match="another bot"):
        make_gate("dry_run", journal="quorate/guards.jsonl")
    first.close()
    second = make_gate("dry_run", journal="quorate/guards.jsonl")
    assert second.runner.bar == at(1_499)
    second.close()


def test_without_a_bundle_members_are_not_counted(make_gate):
    gate = make_gate(limits=GuardSettings(models=3), bundle="nowhere", fallback="rules")
    assert summary(gate, 1_500).valid is None
    assert gate.allows(BTC, at(1_500), TradeClass(), Wallets())
