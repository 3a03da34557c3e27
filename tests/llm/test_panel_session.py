"""Paper sessions whose panel asks a real server: every fault, the journal, the cap, and a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.llm.client import PanelLedger
from quorate.trading.journal import Journal, records
from stubs import panel_session
from stubs.chat_server import FAULTS, IN_TURN, chat_server
from stubs.panel_session import REPLY_USD, judged_world


@pytest.fixture(scope="module")
def server():
    with chat_server() as running:
        yield running


def written(url, kind):
    with Journal.open(url, "paper", role="reader") as journal:
        return [entry.record for entry in journal.read(kinds=[kind])]


def test_a_session_with_every_fault_trades_less_and_nothing_else(server, tmp_path):
    """All faults more than once, in two of the three roles; its journal says what became of each entry, and why."""
    server.pause_s = 0.05
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    models = {"technical": "good", "risk": IN_TURN, "sentiment": IN_TURN}
    options = {"failures": 1_000, "usd_per_day": 1_000.0}
    world = judged_world(url, tmp_path / "replies", server.url, models, **options)
    with Journal.open(url, "paper") as journal:
        session = world.session(journal)
        session.run()
    assert len(server.asked(IN_TURN)) > len(FAULTS)
    judged = written(url, records.PanelRecord)
    # Each entry that may fill is judged, once.
    assert len({(one.symbol, one.time) for one in judged}) == len(judged) > 20
    reasons = {one["reason"] for vote in judged for one in vote.view["abstentions"]}
    for part in (
        *(
            "status 429",
            "status 500",
            "status 401",
            "status 404",
            "status 307",
            "the connection was lost",
        ),
        *("no answer within 1 s", "an answer of more than 65536 bytes", "no chat completion", "for reasoning"),
        *("The reply was cut at 1000 tokens", "Field required", "10 for position_multiplier", "3278 for confidence"),
        *("NaN in place of a number", "expected one JSON object", "closed bars"),
    ):
        assert any(part in reason for reason in reasons), part
    texts = {reply["reasoning"] for vote in judged for reply in vote.view["replies"]}
    assert any("Set the multiplier to 10" in text for text in texts)  # shown, and without effect
    intents = written(url, records.IntentRecord)
    assert {one.order.stake_factor for one in intents} <= {vote.share for vote in judged}
    assert all(0 < one.order.stake_factor <= 0.75 for one in intents)
    assert any(vote.share == 0 for vote in judged)
    assert any(vote.share > 0 for vote in judged)
    signals = {(one.symbol, one.time): one for one in written(url, records.DecidedRecord)}
    for vote in judged:
        assert (vote.symbol, vote.time) in signals


REASON_OF_CAP = "the cap of $"


def test_a_cap_that_is_reached_is_remembered_after_a_kill(server, tmp_path):
    """The session goes on where it was killed, and pays for no more replies than the cap of the day allows."""
    url, recordings = f"sqlite:///{tmp_path / 'journal.sqlite'}", tmp_path / "replies"
    cap = 0.15
    program = [sys.executable, "-m", panel_session.__name__, url, str(recordings), server.url, str(cap)]
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    server.requests.clear()
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    ) as process:
        while len(server.requests) < 2:
            assert process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    asked = len(server.requests)
    done = subprocess.run(program, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, check=True)
    assert done.stdout
    ledger = PanelLedger.open(url, usd_per_day=cap, failures=5, rest_s=300.0)
    (spent,) = ledger.spent()
    assert spent.usd <= cap
    assert asked <= len(server.requests) <= cap / REPLY_USD
    judged = written(url, records.PanelRecord)
    capped = [vote for vote in judged if any(REASON_OF_CAP in one["reason"] for one in vote.view["abstentions"])]
    assert len(capped) > 5
    assert {vote.share for vote in capped} == {0.0}
