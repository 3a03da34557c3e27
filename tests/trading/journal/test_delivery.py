"""Webhook messages stay in the journal until they are delivered: both databases, restarts, kills, copies."""

import itertools
import json
import os
import random
import signal
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from quorate.core.errors import JournalError, JournalUnavailableError
from quorate.core.settings import NotifySettings
from quorate.trading.journal import GuardMovedRecord, Journal, MovedRecord, NotifiedRecord
from quorate.trading.journal.copy import copy
from quorate.trading.webhook import Delivery, Webhook
from quorate.trading.webhook.delivery import MessageCounts

from .conftest import HASTY

QUICK = NotifySettings(timeout_s=2.0, attempts=2, pause_s=0.0, rest_s=0.02, save_s=0.0, last_s=5.0)
HOPELESS = NotifySettings(timeout_s=0.5, attempts=1, pause_s=0.0, rest_s=60.0, save_s=0.0, last_s=0.5)


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hook)
        self.numbers, self.status = [], 204

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/geheim/ü"


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 204:
            self.server.numbers.append(int(body["reason"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture
def receiver():
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def halt(number):
    return GuardMovedRecord(number, "losses", None, 0, "ACTIVE", "HALTED", str(number))


class Session:
    """A session of the account "paper" with a webhook."""

    def __init__(self, url, receiver, settings=QUICK, account="paper"):
        self.journal = Journal.open(url, account, settings=HASTY)
        beside = partial(Journal.open, url, account, role="notifier", settings=HASTY)
        environment = {"QUORATE_WEBHOOK": receiver.url}
        self.hook = Webhook.from_environment(account, settings, environment, journal=self.journal, beside=beside)

    def write(self, *numbers):
        """Records as a session writes them: in the journal first, and others between them."""
        for number in numbers:
            batch = [MovedRecord(number, "A/USDT:USDT", 1.0), halt(number)]
            self.journal.append(batch)
            for record in batch:
                self.hook.notify(record)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hook.close()
        self.journal.close()


def counts(url, account="paper"):
    with Journal.open(url, account, role="reader", settings=HASTY) as journal:
        counts = MessageCounts()
        for entry in journal.read():
            counts.add(entry)
        return counts.to_json()


def wait_for(happened):
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_one_session_could_not_deliver_the_next_one_does(url, receiver):
    receiver.status = 503
    with Session(url, receiver, HOPELESS) as session:
        session.write(1, 2, 3)
    assert counts(url) == {"sent": 0, "failed": 0, "dropped": 0, "restarts": 0, "waiting": 3}
    receiver.status = 204
    with Session(url, receiver) as session:
        session.write(4)
    assert receiver.numbers == [1, 2, 3, 4]
    assert counts(url) == {"sent": 4, "failed": 0, "dropped": 0, "restarts": 0, "waiting": 0}
    with Session(url, receiver) as session:
        assert session.hook.sent == 4
    assert receiver.numbers == [1, 2, 3, 4], "nothing is sent again"


def test_a_part_is_delivered(url, receiver):
    with Session(url, receiver, HOPELESS) as session:
        session.write(1, 2)
        wait_for(lambda: session.hook.sent == 2)
        receiver.status = 404
        session.write(3, 4)
    receiver.status = 204
    with Session(url, receiver) as session:
        session.write(5)
    assert receiver.numbers == [1, 2, 3, 4, 5]


def test_what_happened_before_the_first_webhook_is_not_told(url, receiver):
    with Journal.open(url, "paper", settings=HASTY) as journal:
        journal.append([halt(1), halt(2)])
    assert counts(url) is None
    with Session(url, receiver) as session:
        session.write(3)
    assert receiver.numbers == [3]


def test_what_happened_while_there_was_no_webhook_is_told_afterwards(url, receiver):
    with Session(url, receiver) as session:
        session.write(1)
    with Journal.open(url, "paper", settings=HASTY) as journal:
        journal.append([halt(2)])
    with Session(url, receiver):
        pass
    assert receiver.numbers == [1, 2]


def test_at_most_so_many_wait_and_what_is_dropped_is_counted(url, receiver):
    receiver.status = 503
    few = NotifySettings(timeout_s=0.5, attempts=1, pause_s=0.0, rest_s=60.0, save_s=0.0, last_s=0.5, waiting=3)
    with Session(url, receiver, few) as session:
        session.write(*range(10))
        assert session.hook.dropped in (6, 7)  # one may have been on its way
    dropped = session.hook.dropped
    receiver.status = 204
    with Session(url, receiver, few):
        pass
    with Session(url, receiver, few):
        pass
    assert receiver.numbers[-3:] == [7, 8, 9]
    assert receiver.numbers == sorted(set(receiver.numbers))
    found = counts(url)
    assert found["sent"] == len(receiver.numbers)
    assert found["dropped"] >= dropped
    assert found["sent"] + found["dropped"] >= 10
    assert found["waiting"] == 0


def test_accounts_of_one_journal_are_apart(url, receiver):
    receiver.status = 503
    with Session(url, receiver, HOPELESS, "one") as one, Session(url, receiver, HOPELESS, "two") as two:
        one.write(1)
        two.write(11)
        one.write(2)
    receiver.status = 204
    with Session(url, receiver, account="two"):
        pass
    assert receiver.numbers == [11]
    with Session(url, receiver, account="one"):
        pass
    assert receiver.numbers == [11, 1, 2]


def test_the_session_goes_on_writing_beside_the_notifier(url, receiver):
    """Records of the notifier are no records of another session, also after a lost connection."""
    with Session(url, receiver) as session:
        for number in range(20):
            session.write(number)
            if number % 5 == 0:
                wait_for(lambda number=number: session.hook.sent == number + 1)
                session.journal._store._disconnect()
    assert receiver.numbers == list(range(20))


def test_a_notifier_writes_nothing_else(url, receiver):
    with Session(url, receiver), Journal.open(url, "paper", role="notifier", settings=HASTY) as beside:
        with pytest.raises(JournalError, match="opened as notifier"):
            beside.append([halt(1)])
        beside.append([NotifiedRecord(1, 0, 7)])


class Failing:
    """A journal beside whose first appends fail, before or after they are written."""

    def __init__(self, beside, written):
        self.beside, self.written, self.left = beside, written, 3

    def __call__(self):
        return self

    def append(self, records, **options):
        self.left -= 1
        if self.left >= 0 and not self.written:
            raise JournalUnavailableError("write", found="a test")
        with self.beside() as journal:
            journal.append(records, **options)
        if self.left >= 0:
            raise JournalUnavailableError("write", found="a test")

    def close(self):
        """Close nothing."""


@pytest.mark.parametrize("written", [False, True])
def test_a_journal_that_cannot_be_written_for_a_while(url, receiver, written):
    journal = Journal.open(url, "paper", settings=HASTY)
    beside = partial(Journal.open, url, "paper", role="notifier", settings=HASTY)
    delivery = Delivery.resumed(journal, Failing(beside, written))
    hook = Webhook(receiver.url, "paper", QUICK, delivery)
    for number in range(6):
        journal.append([halt(number)])
        hook.notify(halt(number))
        wait_for(lambda number=number: hook.sent == number + 1)
    hook.close()
    journal.close()
    assert receiver.numbers == list(range(6))
    assert counts(url)["sent"] == 6
    with Session(url, receiver):
        pass
    assert receiver.numbers == list(range(6))


def test_a_copy_of_the_journal_goes_on(url, receiver, tmp_path):
    receiver.status = 503
    with Session(url, receiver, HOPELESS) as session:
        session.write(1, 2)
    target = f"sqlite:///{tmp_path}/copy.sqlite"
    copy(url, target, HASTY)
    receiver.status = 204
    with Session(target, receiver) as session:
        session.write(3)
    assert receiver.numbers == [1, 2, 3]


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_loses_nothing_and_repeats_only_what_was_on_its_way(tmp_path, receiver, seed):
    """Sessions killed at random times; every message arrives, in order but for what a restart sends again."""
    address, generator = f"sqlite:///{tmp_path}/journal.sqlite", random.Random(seed)
    with Session(address, receiver):
        pass
    total, kills = 60, 0
    while True:
        # A receiver that fails now and then keeps messages waiting.
        receiver.status = generator.choice([204, 204, 503])
        child = os.fork()
        if child == 0:
            with Session(address, receiver) as session:
                written = sum(1 for _ in session.journal.read(kinds=[GuardMovedRecord]))
                for number in range(written, total):
                    session.write(number)
                    time.sleep(0.002)
            os._exit(0)
        time.sleep(generator.uniform(0.05, 0.4))
        os.kill(child, signal.SIGKILL)
        _, code = os.waitpid(child, 0)
        kills += code != 0
        with Journal.open(address, "paper", role="reader", settings=HASTY) as journal:
            if sum(1 for _ in journal.read(kinds=[GuardMovedRecord])) == total:
                break
    receiver.status = 204
    with Session(address, receiver):
        pass
    numbers = receiver.numbers
    assert sorted(set(numbers)) == list(range(total)), "nothing is lost"
    for before, after in itertools.pairwise(numbers):
        assert after <= before + 1, "in order"
    assert sum(after <= before for before, after in itertools.pairwise(numbers)) <= kills + 1
    assert counts(address)["waiting"] == 0
