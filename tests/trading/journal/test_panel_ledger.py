"""Costs and failures of providers in a journal: shared by processes, and remembered after a kill."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from quorate.core.clock import DAY_MS, parse_ms
from quorate.core.redaction import register_secret
from quorate.llm.client.bookings import Booking, NotNow
from quorate.llm.client.ledger import PanelLedger
from quorate.trading.journal import copy as journal_copy

NOON = parse_ms("2026-03-01 12:00")


class Clock:
    now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(url, clock):
    return PanelLedger.open(url, usd_per_day=0.05, failures=2, rest_s=60.0, clock=clock)


def fail(ledger, times, reason="status 500"):
    for _ in range(times):
        ledger.settle(ledger.admit("p", "m", 0.0), 0.0, reason)


def test_the_cap_is_of_the_sum_of_all_models_on_a_utc_day(ledger, clock):
    first = ledger.admit("p", "m", 0.02)
    assert first == Booking("p", "m", parse_ms("2026-03-01"), 20_000_000)
    assert isinstance(ledger.admit("q", "m", 0.03), Booking)  # exactly the cap
    refused = ledger.admit("p", "n", 0.000001)
    assert refused == NotNow("the cap of $0.05 a day: $0.05 are spent, and the prompt can cost $0.000001")
    assert isinstance(ledger.admit("p", "local", 0.0), Booking)  # costs nothing
    ledger.settle(first, 0.0123)
    assert isinstance(ledger.admit("p", "n", 0.0077), Booking)
    assert isinstance(ledger.admit("p", "n", 0.0001), NotNow)
    spent = {(one.provider, one.model): (one.prompts, one.usd) for one in ledger.spent()}
    assert spent == {("p", "local"): (1, 0), ("p", "m"): (1, 0.0123), ("p", "n"): (1, 0.0077), ("q", "m"): (1, 0.03)}
    clock.now += DAY_MS // 2
    assert isinstance(ledger.admit("p", "m", 0.05), Booking)
    assert sum(one.usd for one in ledger.spent(NOON)) == pytest.approx(0.05)


def test_a_provider_that_fails_in_a_row_rests_and_is_tried_by_one_prompt(ledger, clock):
    fail(ledger, 1)
    assert isinstance(ledger.admit("p", "m", 0.0), Booking)
    fail(ledger, 1)
    refused = ledger.admit("p", "m", 0.0)
    assert refused == NotNow("p rests until 2026-03-01 12:01 UTC after 2 failures: status 500")
    assert isinstance(ledger.admit("q", "m", 0.0), Booking)  # others go on
    clock.now += 60_000
    trial = ledger.admit("p", "m", 0.0)
    assert isinstance(trial, Booking)
    assert isinstance(ledger.admit("p", "m", 0.0), NotNow)  # until the trial is answered
    ledger.settle(trial, 0.0, "status 500")
    assert ledger.resting()[0].failures == 3
    clock.now += 60_000
    ledger.settle(ledger.admit("p", "m", 0.0), 0.0)
    assert ledger.resting() == []
    fail(ledger, 1)
    assert isinstance(ledger.admit("p", "m", 0.0), Booking)  # counted anew


def test_a_provider_can_be_woken_and_rests_again_after_one_failure(ledger):
    fail(ledger, 2)
    ledger.wake({"p", "unknown"})
    assert isinstance(ledger.admit("p", "m", 0.0), Booking)
    assert isinstance(ledger.admit("p", "m", 0.0), Booking)
    fail(ledger, 1)
    assert isinstance(ledger.admit("p", "m", 0.0), NotNow)


def test_bookings_of_many_threads_never_exceed_the_cap(url, ledger):
    others = [PanelLedger.open(url, usd_per_day=0.05, failures=2, rest_s=60.0, clock=Clock()) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: others[number % 4].admit("p", "m", 0.004), range(24)))
    assert sum(isinstance(one, Booking) for one in found) == 12
    assert sum(one.usd for one in ledger.spent()) == pytest.approx(0.048)


BOOK = """
import sys
from quorate.llm.client.ledger import PanelLedger
ledger = PanelLedger.open(sys.argv[1], usd_per_day=0.05, failures=2, rest_s=3600.0)
for _ in range(2):
    ledger.settle(ledger.admit("down", "m", 0.0), 0.0, "status 503")
booking = ledger.admit("p", "m", 0.04)
print(type(booking).__name__, flush=True)
sys.stdin.read()
"""


def test_a_killed_process_leaves_its_bookings_and_failures(url):
    program = [sys.executable, "-c", BOOK, url]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "Booking\n"
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    ledger = PanelLedger.open(url, usd_per_day=0.05, failures=2, rest_s=3600.0)
    assert [(one.prompts, one.usd) for one in ledger.spent() if one.provider == "p"] == [(1, 0.04)]
    assert isinstance(ledger.admit("p", "m", 0.02), NotNow)
    assert "after 2 failures: status 503" in ledger.admit("down", "m", 0.0).reason


def test_the_ledger_is_written_beside_a_session(url, ledger, open_journal, batch):
    with open_journal(url) as journal:
        journal.append(batch(1))
        ledger.settle(ledger.admit("p", "m", 0.01), 0.005)
        journal.append(batch(2))
        assert [entry.record for entry in journal.read()] == batch(1) + batch(2)
    assert [one.usd for one in ledger.spent()] == [0.005]


def test_a_journal_of_the_first_version_is_upgraded(url, open_journal, batch):
    with open_journal(url) as journal:
        journal.append(batch(1))
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.begin() as connection:
        for statement in (
            "DROP TABLE panel_costs",
            "DROP TABLE panel_providers",
            "UPDATE journal_version SET version_num = 'journal_0001'",
        ):
            connection.execute(text(statement))
    ledger = PanelLedger.open(url, usd_per_day=0.05, failures=2, rest_s=60.0)
    assert isinstance(ledger.admit("p", "m", 0.01), Booking)
    assert [entry.record for entry in open_journal(url, role="reader").read()] == batch(1)


def test_costs_and_failures_are_copied_with_a_journal(ledger, url, tmp_path, clock):
    fail(ledger, 2)
    ledger.admit("q", "priced", 0.01)
    target = f"sqlite:///{tmp_path / 'copy' / 'journal.sqlite'}"
    journal_copy.copy(url, target)
    copied = PanelLedger.open(target, usd_per_day=0.05, failures=2, rest_s=60.0, clock=clock)
    assert (copied.spent(), copied.resting()) == (ledger.spent(), ledger.resting())


def test_reasons_are_stored_short_and_without_secrets(ledger):
    register_secret("canary-of-the-ledger-5561")
    fail(ledger, 1, "status 401: canary-of-the-ledger-5561 " + "x" * 1_000)
    (state,) = ledger.resting()
    assert state.reason.startswith("status 401: *** xxx")
    assert len(state.reason) == 300
