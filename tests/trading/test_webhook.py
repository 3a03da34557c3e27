"""The webhook against a real server that fails on demand, and without a server."""

import json
import logging
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import SettingsError
from quorate.core.settings import AccountSettings, NotifySettings
from quorate.trading import Account, Bar, Order, TargetOrder, Trade
from quorate.trading.account.costs import Fill
from quorate.trading.engine import TradingEngine
from quorate.trading.journal.records import (
    ClosedRecord,
    FilledRecord,
    GuardMovedRecord,
    HumanRecord,
    LadderMovedRecord,
    Record,
    ValuedRecord,
)
from quorate.trading.webhook import Webhook, address_of, message

NOON = parse_ms("2025-03-01 12:00")
HASTY = NotifySettings(timeout_s=0.5, attempts=3, pause_s=0.01, last_s=3.0)
HALT = GuardMovedRecord(
    NOON, "losses", None, 0, "ACTIVE", "HALTED", "the last 3 closed trades each lost more than 8.00 USD"
)


class Receiver(ThreadingHTTPServer):
    """Answers with the given statuses, then with 204; keeps the received messages."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.statuses: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        self.kinds: list[str | None] = []
        self.paths: list[str] = []
        self.users: list[str | None] = []
        self.free = threading.Event()
        self.free.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/secret-token"


class Hook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.paths.append(self.path)
        self.server.users.append(self.headers["Authorization"])
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.free.wait(5)
        self.server.bodies.append(body)
        self.server.kinds.append(self.headers["Content-Type"])
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.free.set()
    server.shutdown()
    thread.join()
    server.server_close()


def filled(order: Order) -> FilledRecord:
    account = Account(AccountSettings(sizing="fixed", stake_usd=20.0))
    position = account.open(order, NOON, 100.0)
    assert position is not None
    return FilledRecord(NOON, order.symbol, "abc", order, position.size, position.entry)


def test_what_is_said_of_positions_by_target() -> None:
    account = Account(AccountSettings(equity_usd=10_000.0, margin="cross"))
    written: list[Record] = []
    engine = TradingEngine(account, HOUR_MS, emit=written.append)
    for number, (price, quantity) in enumerate([(100.0, -2.0), (100.0, -0.5), (90.0, 0.0), (80.0, 0.0)]):
        time = NOON + number * HOUR_MS
        bars = {"BTC/USDT:USDT": Bar(time, *(7 * [price]))}
        engine.at_open(time, bars.get)
        engine.at_close(time, bars.get)
        engine.submit_targets([TargetOrder("BTC/USDT:USDT", time, quantity)])
    said = [found for record in written if (found := message(record, "paper")) is not None]
    assert [each["event"] for each in said] == ["increased", "reduced", "closed"]
    assert said[0]["text"] == "BTC/USDT:USDT: short 2 more at 99.98, 2 held"
    assert said[1]["text"].startswith("BTC/USDT:USDT: 1.5 less at 90.018, 0.5 held, +14.8")
    assert (said[1]["held"], said[2]["quantity"]) == (0.5, 0.5)


def test_what_is_said_of_each_record(order: Callable[..., Order], trade: Callable[..., Trade]) -> None:
    said = message(filled(order(side=-1)), "paper")
    assert said is not None
    assert said["text"] == "BTC/USDT:USDT: short 1.0002 at 99.98, stop 103.98, target 89.98"
    assert (said["event"], said["account"], said["time"]) == ("filled", "paper", "2025-03-01T12:00:00Z")
    gone = message(ClosedRecord(NOON, "abc", trade(-9.5), Fill(90.5, 90.5, 0.0, 0.0)), "paper")
    assert gone is not None
    assert gone["text"] == "BTC/USDT:USDT: closed at 90.5 (time), -9.50 USD"
    assert (gone["event"], gone["net_usd"], gone["reason"]) == ("closed", -9.5, "time")
    euros = message(ClosedRecord(NOON, "abc", trade(-9.5), Fill(90.5, 90.5, 0.0, 0.0)), "paper", "EUR")
    assert euros is not None
    assert (euros["text"][-9:], euros["net_usd"]) == ("-9.50 EUR", -9.5)
    stopped = message(HALT, "paper", "EUR")
    assert stopped is not None
    assert [stopped[name][-8:] for name in ("text", "reason")] == ["8.00 EUR"] * 2
    halt = message(HALT, "paper")
    assert halt is not None
    assert halt["text"] == "HALTED: losses: the last 3 closed trades each lost more than 8.00 USD"
    rearmed = message(replace(HALT, before="HALTED", after="ACTIVE", reason="re-armed by ada"), "paper")
    assert rearmed is not None
    assert (rearmed["event"], rearmed["text"]) == ("rearmed", "Re-armed: losses: re-armed by ada")
    step = message(LadderMovedRecord(NOON, 0, 2, 1, "a halt at step 2"), "paper")
    assert step is not None
    assert step["text"] == "Ladder: from step 2 to 1: a halt at step 2"


def test_a_message_about_no_record_is_sent_in_its_turn(receiver: Receiver) -> None:
    webhook = Webhook(receiver.url, "paper", HASTY)
    webhook.notify(HALT)
    webhook.send({"event": "retraining", "text": "so it went"})
    webhook.close()
    assert [body["event"] for body in receiver.bodies] == ["halted", "retraining"]
    assert receiver.bodies[1] == {"event": "retraining", "text": "so it went"}
    assert (webhook.sent, webhook.failed, webhook.dropped) == (2, 0, 0)


@pytest.mark.parametrize(
    "record",
    [
        replace(HALT, guard="models", after="REDUCING"),
        HumanRecord(NOON, NOON, "rearm", "losses", "ada"),
        ValuedRecord(NOON, "close", 1.0, 1.0),
    ],
)
def test_the_rest_is_not_said(record: Record) -> None:
    assert message(record, "paper") is None


def test_what_is_no_number_is_null(order: Callable[..., Order]) -> None:
    said = message(filled(order(confidence=float("inf"))), "paper")
    assert said is not None
    assert said["confidence"] is None
    json.dumps(said, allow_nan=False)


def test_messages_arrive_in_order_as_json(receiver: Receiver, order: Callable[..., Order]) -> None:
    hook = Webhook(receiver.url, "paper", HASTY)
    for record in (filled(order()), ValuedRecord(NOON, "close", 1.0, 1.0), HALT):
        hook.notify(record)
    hook.close()
    assert [body["event"] for body in receiver.bodies] == ["filled", "halted"]
    assert receiver.kinds == ["application/json"] * 2
    assert receiver.bodies[0] == message(filled(order()), "paper")
    assert (hook.sent, hook.failed, hook.dropped) == (2, 0, 0)


@pytest.mark.parametrize(
    ("statuses", "arrivals", "sent"),
    [
        ([500, 503], 3, 1),
        ([429], 2, 1),
        ([500, 500, 500], 3, 0),  # as often as the settings say
        ([404], 1, 0),  # another attempt would change nothing
    ],
)
def test_what_may_pass_is_tried_again(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, statuses: list[int], arrivals: int, sent: int
) -> None:
    receiver.statuses = statuses.copy()
    hook = Webhook(receiver.url, "paper", HASTY)
    hook.notify(HALT)
    hook.close()
    assert (len(receiver.bodies), hook.sent, hook.failed) == (arrivals, sent, 1 - sent)
    assert (f"could not post a message to 127.0.0.1: status {statuses[-1]}" in caplog.text) is not bool(sent)
    assert "secret-token" not in caplog.text


def test_where_nobody_listens_it_is_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: connections are refused
        hook = Webhook(f"http://127.0.0.1:{taken.getsockname()[1]}/", "paper", HASTY)
        hook.notify(HALT)
        hook.close()
    assert (hook.sent, hook.failed) == (0, 1)
    assert "ConnectionRefusedError" in caplog.text


def test_a_slow_receiver_holds_nobody_up(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.free.clear()
    hook = Webhook(receiver.url, "paper", replace(HASTY, timeout_s=5.0, waiting=3, last_s=0.1))
    began = time.perf_counter()
    for _ in range(50):
        hook.notify(HALT)
    assert time.perf_counter() - began < 0.5
    assert hook.dropped >= 46  # three wait, one is on its way
    assert f"{hook.dropped} messages dropped so far" in caplog.text
    hook.close()
    assert time.perf_counter() - began < 3.0
    assert hook.sent == 0
    # Three were still queued and are discarded at the end of the session.
    assert hook.failed + hook.dropped == 49


def test_a_receiver_that_hangs_is_given_up_on_in_time(receiver: Receiver) -> None:
    receiver.free.clear()
    hook = Webhook(receiver.url, "paper", NotifySettings(timeout_s=0.05, attempts=2, pause_s=0.0, last_s=3.0))
    hook.notify(HALT)
    hook.close()
    assert (hook.sent, hook.failed) == (0, 1)


def test_the_address_comes_from_the_environment() -> None:
    assert Webhook.from_environment("paper", environment={}) is None
    hook = Webhook.from_environment("paper", HASTY, {"QUORATE_WEBHOOK": "https://hooks.example.com/x"})
    assert hook is not None
    hook.close()


@pytest.mark.parametrize(
    "url", ["hooks.acme.test", "ftp://a/b", "file:///etc/passwd", "http://", "http://[::1", "http://a:b/"]
)
def test_an_address_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="QUORATE_WEBHOOK") as refused:
        Webhook(url, "paper")
    assert url not in str(refused.value).replace("http:// or https://", "")


def test_a_message_is_logged_as_a_warning_and_no_more(caplog: pytest.LogCaptureFixture, receiver: Receiver) -> None:
    receiver.statuses = [404]
    with caplog.at_level(logging.DEBUG):
        hook = Webhook(receiver.url, "paper", HASTY)
        hook.notify(HALT)
        hook.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize(
    ("path", "arrives"),
    [
        ("/grüße", "/gr%C3%BC%C3%9Fe"),
        ("/秘密?k=値", "/%E7%A7%98%E5%AF%86?k=%E5%80%A4"),
        ("/a b?c d", "/a%20b?c%20d"),
        ("/%41%20?x=%C3%A4", "/%41%20?x=%C3%A4"),
        ("/x#ä", "/x"),
        ("", "/"),
        ("/bytes\udcff", "/bytes%FF"),  # of an environment that is not UTF-8
    ],
)
def test_paths_outside_ascii_are_encoded(receiver: Receiver, path: str, arrives: str) -> None:
    hook = Webhook(receiver.url.removesuffix("/secret-token") + path, "paper", HASTY)
    hook.notify(HALT)
    hook.close()
    assert (receiver.paths, hook.sent, hook.restarts) == ([arrives], 1, 0)


def test_user_information_is_sent_as_a_header(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.statuses = [404]
    hook = Webhook(f"http://jürgen:p%40ß@127.0.0.1:{receiver.server_address[1]}/", "paper", HASTY)
    hook.notify(HALT)
    hook.close()
    assert receiver.users == ["Basic " + b64encode("jürgen:p@ß".encode()).decode()]
    assert "rgen" not in caplog.text


def test_international_hosts_are_encoded() -> None:
    assert address_of("https://münchen.example:8443/x").url == "https://xn--mnchen-3ya.example:8443/x"
    assert address_of("http://[::1]:80/").url == "http://[::1]:80/"
    assert address_of(" https://hooks.example.com/x\n").url == "https://hooks.example.com/x"


@pytest.mark.parametrize(
    "url",
    [
        "http://a:0/",
        "http://a:65536/",
        "http://a..b/",
        "http://a b/",
        "http://a%20b/",
        "http://" + "a" * 64 + ".example/",
        "http://ex\x00ample/",
        "https://a/x\ny",
        "http://[fe80::1%eth0]/",
        "http://user@/",
        "http://\ud800/",
        "http://a/\ud800",
        "http://a/\x7f",
    ],
)
def test_an_address_that_cannot_be_sent_to_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="QUORATE_WEBHOOK"):
        Webhook(url, "paper")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_no_delivery(receiver: Receiver, code: int) -> None:
    """Following one would post nothing, and count as delivered."""
    receiver.statuses = [code]
    hook = Webhook(receiver.url, "paper", HASTY)
    hook.notify(HALT)
    hook.close()
    assert (hook.sent, hook.failed, len(receiver.bodies)) == (0, 1, 1)


def test_a_message_is_kept_until_the_receiver_is_back_and_the_order_holds(receiver: Receiver) -> None:
    receiver.statuses = [503] * 7
    hook = Webhook(receiver.url, "paper", replace(HASTY, rest_s=0.05, pause_s=0.0))
    for number in range(3):
        hook.notify(replace(HALT, guard=f"g{number}"))
    wait_for(lambda: hook.sent == 3)
    hook.close()
    assert [body["guard"] for body in receiver.bodies] == ["g0"] * 8 + ["g1", "g2"]
    assert (hook.sent, hook.failed, hook.dropped) == (3, 0, 0)


def test_a_message_that_the_receiver_cannot_use_does_not_hold_up_the_next(receiver: Receiver) -> None:
    receiver.statuses = [400]
    hook = Webhook(receiver.url, "paper", HASTY)
    for number in range(2):
        hook.notify(replace(HALT, guard=f"g{number}"))
    hook.close()
    assert (hook.sent, hook.failed) == (1, 1)


class Broken:
    """An opener that ends the sender with errors that nobody foresaw, then opens."""

    def __init__(self, opener: Any, errors: list[BaseException]) -> None:
        self.opener, self.errors = opener, errors

    def open(self, *arguments: Any, **options: Any) -> Any:
        if self.errors:
            raise self.errors.pop(0)
        return self.opener.open(*arguments, **options)


@pytest.mark.parametrize("error", [UnicodeEncodeError("ascii", "/secret-token", 0, 1, "no"), MemoryError(), KeyError()])
def test_a_sender_that_ends_is_started_again_and_loses_nothing(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    hook = Webhook(receiver.url, "paper", HASTY)
    hook._opener = Broken(hook._opener, [error, error])
    for number in range(3):
        hook.notify(replace(HALT, guard=f"g{number}"))
    wait_for(lambda: hook.sent == 3)
    hook.close()
    assert [body["guard"] for body in receiver.bodies] == ["g0", "g1", "g2"]
    assert (hook.sent, hook.failed, hook.restarts) == (3, 0, 2)
    assert f"ended with {type(error).__name__}, and is started again" in caplog.text
    assert "secret-token" not in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_sender_that_leaves_without_an_error_is_started_again(receiver: Receiver) -> None:
    hook = Webhook(receiver.url, "paper", HASTY)
    hook._opener = Broken(hook._opener, [SystemExit()])
    hook.notify(HALT)
    wait_for(lambda: not hook._thread.is_alive())
    hook.notify(replace(HALT, guard="second"))
    wait_for(lambda: hook.sent == 2)
    hook.close()
    assert [body["guard"] for body in receiver.bodies] == ["losses", "second"]
    assert hook.restarts == 1


def test_a_message_that_always_ends_the_sender_is_given_up(receiver: Receiver) -> None:
    hook = Webhook(receiver.url, "paper", HASTY)
    hook._opener = Broken(hook._opener, [ValueError()] * 3)
    hook.notify(HALT)
    hook.notify(replace(HALT, guard="second"))
    wait_for(lambda: hook.sent == 1)
    hook.close()
    assert [body["guard"] for body in receiver.bodies] == ["second"]
    assert (hook.failed, hook.restarts) == (1, 3)


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)
