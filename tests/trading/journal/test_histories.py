"""Random appends, repetitions, contradictions, restarts and lost connections, compared with a plain list."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from quorate.core.errors import JournalError
from quorate.trading.journal import HumanRecord, Journal, MovedRecord

NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=4, unique=True)


def moved(number, stop=1.0):
    return MovedRecord(number, "A", stop)


class Histories(RuleBasedStateMachine):
    """The model is the list of acknowledged records, in order."""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.url = f"sqlite:///{self.folder}/journal.sqlite"
        self.journal = Journal.open(self.url, "paper")
        self.written = []
        self.people = 0

    def teardown(self):
        self.journal.close()
        shutil.rmtree(self.folder)

    @rule(numbers=NUMBERS, idempotent=st.booleans())
    def append(self, numbers, idempotent):
        batch = [moved(number) for number in numbers]
        known = [record in self.written for record in batch]
        if not any(known):
            self.journal.append(batch, idempotent=idempotent)
            self.written += batch
        elif all(known) and idempotent:
            self.journal.append(batch, idempotent=True)
        else:
            with pytest.raises(JournalError):
                self.journal.append(batch, idempotent=idempotent)
        held = [record in self.written for record in batch]
        if all(held) or not any(held):
            assert self.journal.holds(batch) == all(held)

    @precondition(lambda self: any(isinstance(record, MovedRecord) for record in self.written))
    @rule(data=st.data(), idempotent=st.booleans())
    def contradict(self, data, idempotent):
        known = data.draw(st.sampled_from([record for record in self.written if isinstance(record, MovedRecord)]))
        with pytest.raises(JournalError, match="a different record with that key"):
            self.journal.append([moved(99), moved(known.time, 2.0)], idempotent=idempotent)

    @rule()
    def ask(self):
        self.people += 1
        asked = HumanRecord(0, self.people, "promote", "", "me")
        with Journal.open(self.url, "paper", role="human") as person:
            person.append([asked])
        self.written.append(asked)

    @rule()
    def restart(self):
        self.journal.close()
        self.journal = Journal.open(self.url, "paper")

    @rule()
    def lose_the_connection(self):
        self.journal._store._disconnect()

    @invariant()
    def all_of_it_is_there_once_and_in_order(self):
        if hasattr(self, "journal"):
            assert [entry.record for entry in self.journal.read()] == self.written


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=20, stateful_step_count=15, suppress_health_check=[HealthCheck.too_slow])


def test_an_older_record_again_does_not_make_newer_ones_foreign():
    """Repeated before a lost connection, it must not move back what the session knows as its newest record."""
    state = Histories()
    state.begin()
    state.append(numbers=[0, 1], idempotent=False)
    state.append(numbers=[0], idempotent=True)
    state.lose_the_connection()
    state.all_of_it_is_there_once_and_in_order()
    state.teardown()
