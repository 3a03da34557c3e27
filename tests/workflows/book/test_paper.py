"""The paper account of a book: killed and restarted, it is the backtest to the last cent."""

import json
import os
import random
import signal
import time
from dataclasses import replace
from itertools import count

import pytest
from tests.book.conftest import make_market

from quorate.core.clock import parse_ms
from quorate.core.errors import TradingError, TrainingSpanError
from quorate.core.settings import AccountSettings, BookGuardSettings, BookSettings, Settings
from quorate.market.memory import MemorySource
from quorate.trading.journal import Journal, StartedRecord, TargetRecord
from quorate.workflows.book.backtest import backtest_book
from quorate.workflows.book.train import train_book
from quorate.workflows.paper import PaperAccount
from quorate.workflows.runs.trials import RunRecord

SETTINGS = replace(
    Settings(),
    book=BookSettings(
        markets=8, carry_markets=8, age_days=30, members=("logistic", "lightgbm"), quorum=2, volume_share=1.0
    ),
    account=AccountSettings(equity_usd=100_000.0, leverage=2.0),
    book_guards=BookGuardSettings(reduce_drawdown=0.9, halt_drawdown=0.95, gross=10.0),
)
CUT = parse_ms("2021-07-15")
SPAN = {"start": "2021-07-15", "end": "2021-09-13"}  # 60 days


@pytest.fixture(scope="module")
def source():
    market = make_market(12, 260)
    funding = {symbol: each for symbol, each in market.funding.items() if each is not None}
    return MemorySource(list(market.candles.values()), funding)


@pytest.fixture(scope="module")
def book(source, tmp_path_factory):
    return train_book(source, tmp_path_factory.mktemp("books"), settings=SETTINGS, end=CUT)


@pytest.fixture(scope="module")
def traded(book, source):
    return backtest_book(book, source, settings=SETTINGS, record=RunRecord(log=False), **SPAN).result


def account(folder, name="paper", settings=SETTINGS):
    return PaperAccount(name, f"sqlite:///{folder}/journal.sqlite", settings=settings)


def replay(folder, book, source, name="paper", settings=SETTINGS, **span):
    with account(folder, name, settings).session(book, source, **(span or SPAN)) as session:
        return session.run()


def content(folder, name="paper"):
    with Journal.open(f"sqlite:///{folder}/journal.sqlite", name, role="reader") as journal:
        return [entry.record for entry in journal.read() if not isinstance(entry.record, StartedRecord)]


def require_backtest(status, traded):
    assert status.result.trades == traded.trades
    assert status.result.time.tolist() == traded.time.tolist()
    assert status.result.equity_usd.tolist() == traded.equity_usd.tolist()


def test_a_replay_is_the_backtest(tmp_path, book, source, traded):
    status = replay(tmp_path, book, source)
    require_backtest(status, traded)
    assert len(traded.trades) > 100
    again = account(tmp_path).status()
    assert again.document["equity_usd"] == traded.final_equity_usd
    # Criteria of votes and of entries with a stop are not its.
    assert (again.document["by_target"], again.document["criteria"]) == (True, [])
    assert {guard["guard"] for guard in again.document["guards"]} == {
        "clock",
        "feed",
        "valuation",
        "reducing",
        "peak_drawdown",
        "gross",
    }
    json.dumps(again.to_json(), allow_nan=False)


def test_ten_kills_in_60_days_leave_the_equity_of_the_backtest(tmp_path, book, source, traded):
    generator, kills, finished = random.Random(7), 0, False
    while not finished:
        patience_s = generator.uniform(0.5, 2.0) if kills < 10 else 120.0
        finished = run_child(tmp_path, book, source, patience_s, slow=kills < 10)
        kills += not finished
    assert kills >= 10
    require_backtest(account_status(tmp_path), traded)
    keys = [record.key for record in content(tmp_path)]
    assert len(keys) == len(set(keys))


def account_status(folder):
    from quorate.trading.paper import AccountStatus
    from quorate.workflows.paper.status import status_of

    with Journal.open(f"sqlite:///{folder}/journal.sqlite", "paper", role="reader") as journal:
        return status_of(AccountStatus(journal), SETTINGS)


def run_child(folder, book, source, patience_s, *, slow):
    """Run a session in a child that is killed after a time; returns whether it was complete."""
    child = os.fork()
    if child == 0:
        speed = 40.0 if slow else None  # so that it lives through its kills
        with account(folder).session(book, source, speed=speed, **SPAN) as session:
            session.run()
        os._exit(0)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, f"the session failed with {status}"
            return True
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return status == 0


class Crash(BaseException):
    """Stands for a kill: not caught by any `except Exception`."""


class Doomed:
    """A journal that ends its process before or after one of its appends; everything else is the journal's own."""

    def __init__(self, journal, append, *, written):
        self._journal, self._left, self._written = journal, count(append, -1), written

    def __getattr__(self, name):
        return getattr(self._journal, name)

    def append(self, records):
        last = next(self._left) == 0
        if last and not self._written:
            raise Crash
        self._journal.append(records)
        if last:
            raise Crash


@pytest.mark.parametrize("seed", range(3))
def test_crashes_before_and_after_commits_do_nothing_twice(tmp_path, book, source, seed):
    span = {"start": "2021-07-15", "end": "2021-07-27"}
    generator, crashes, done = random.Random(seed), 0, False
    replay(tmp_path, book, source, "whole", **span)
    while not done:
        with account(tmp_path, "crashed").session(book, source, **span) as run:
            # Append 0 is that of the start.
            written = generator.random() < 0.5
            run._session._journal = Doomed(run._journal, generator.randint(0, 25), written=written)
            try:
                run._session.run()
                done = True
            except Crash:
                crashes += 1
    assert crashes >= 4
    assert content(tmp_path, "crashed") == content(tmp_path, "whole")


def test_a_fall_from_the_peak_closes_everything_until_a_person_re_arms(tmp_path, book, source):
    limits = BookGuardSettings(reduce_drawdown=0.0, halt_drawdown=0.02, gross=0.0)
    settings = replace(SETTINGS, book_guards=limits)
    half, rest = {"start": "2021-07-15", "end": "2021-08-14"}, {"start": "2021-07-15", "end": "2021-09-13"}
    status = replay(tmp_path, book, source, settings=settings, **half)
    assert status.document["mode"] == "HALTED"
    assert not status.document["positions"]
    written = content(tmp_path)
    halted = next(record for record in written if record.kind == "guard" and record.after == "HALTED")
    assert all(r.order.quantity == 0 for r in written if isinstance(r, TargetRecord) and r.time >= halted.time)
    account(tmp_path, settings=settings).rearm("peak_drawdown", who="Ada", note="seen")
    status = replay(tmp_path, book, source, settings=settings, **rest)
    later = [r for r in content(tmp_path)[len(written) :] if isinstance(r, TargetRecord)]
    assert any(record.order.quantity for record in later)


@pytest.mark.parametrize("limits", [BookGuardSettings(0.005, 0.0, 0.0), BookGuardSettings(0.0, 0.0, 0.05)])
def test_a_reducing_guard_lets_positions_shrink_only(tmp_path, book, source, limits):
    replay(tmp_path, book, source, settings=replace(SETTINGS, book_guards=limits))
    written = content(tmp_path)
    mode, seen = "ACTIVE", set()
    for record in written:
        if record.kind == "guard":
            mode = record.after
        seen.add((mode, record.kind))
        assert (mode, record.kind) != ("REDUCING", "increased")
    assert {("REDUCING", "unfilled"), ("ACTIVE", "increased")} <= seen


def test_what_does_not_belong_together_is_refused(tmp_path, book, source):
    with (
        pytest.raises(TrainingSpanError, match="days of the training span"),
        account(tmp_path).session(book, source, start="2021-06-01"),
    ):
        pass
    replay(tmp_path, book, source, start="2021-07-15", end="2021-07-17")
    other = replace(SETTINGS, paper=replace(SETTINGS.paper, strategy="other"))
    with pytest.raises(TradingError, match="the strategy quorate-book"):
        replay(tmp_path, book, source, settings=other)
