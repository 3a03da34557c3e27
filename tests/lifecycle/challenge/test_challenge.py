"""A challenge of two bundles on a replay: accounts, interruptions, horizon, stop, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from quorate.cli.app import app
from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.errors import ArgumentError, JournalError, TrainingSpanError, UnknownAccountError
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.lifecycle.challenge import Challenge
from quorate.trading.journal import ComparedRecord, Journal, JudgedRecord
from quorate.trading.paper.log_lines import line
from quorate.workflows.paper import PaperAccount
from stubs.binance import spawn
from stubs.webhook_receiver import receiving

BARS = 80


def challenge_of(arena, folder, name="challenge", **terms):
    settings = replace(arena.settings, challenge=replace(arena.settings.challenge, **terms))
    return Challenge(name, f"sqlite:///{folder / 'journal.sqlite'}", settings=settings)


def run(arena, challenge, bars=BARS, **options):
    options = {"start": arena.end, "end": arena.end + bars * HOUR_MS, **options}
    return challenge.run(arena.champion, arena.challenger, arena.data, **options)


def compared(challenge):
    """The records of every bar."""
    with Journal.open(challenge.url, challenge.name, role="reader") as journal:
        return [entry.record for entry in journal.read(kinds=[ComparedRecord, JudgedRecord])]


@pytest.fixture(scope="module")
def won(arena, tmp_path_factory):
    """A challenge that the challenger has won, its status, and the messages to the webhook."""
    challenge = challenge_of(arena, tmp_path_factory.mktemp("won"), alpha=0.5, horizon_bars=190)
    with pytest.MonkeyPatch.context() as patch, receiving() as receiver:
        patch.setenv("QUORATE_WEBHOOK", receiver.url)
        status = run(arena, challenge, 195)
    return challenge, status, receiver.bodies


@pytest.fixture
def folder(arena, tmp_path):
    """A folder of both bundles, whose champion is that of the challenge."""
    store = BundleStore(tmp_path / "bundles")
    for bundle in (arena.champion, arena.challenger):
        shutil.copytree(bundle, store.folder / bundle.name)
    store.promote(arena.champion.name)
    return store


@pytest.fixture(scope="module")
def whole(arena, tmp_path_factory):
    """A challenge without an interruption, and its status."""
    challenge = challenge_of(arena, tmp_path_factory.mktemp("whole"))
    return challenge, run(arena, challenge)


def test_it_ends_at_its_horizon(whole):
    challenge, status = whole
    found = status.to_json()
    assert (status.verdict, found["bars"]) == ("undecided", 60)
    assert "60 bars, the horizon" in found["reason"]
    assert found["log_loss"]["n"] == 55, "labels of 5 bars are not known yet"
    assert found["waiting"] == 5
    assert found["log_loss"]["e_challenger"] > 1 > found["log_loss"]["e_champion"]
    low, high = found["log_loss"]["bounds"]
    assert low < found["log_loss"]["difference"] < high
    assert challenge.status().to_json() == found
    with pytest.raises(ArgumentError, match="one that has ended: undecided"):
        challenge.stop(who="me")


def test_verdict_first_and_about_ten_lines(whole):
    lines = whole[1].headline.text().splitlines()
    assert lines[0].startswith("SYNTHETIC MARKET")
    assert lines[1].startswith("UNDECIDED: no e-value")
    assert 8 <= len(lines) <= 12


@pytest.mark.parametrize("side", ["champion", "challenger"])
def test_each_account_is_the_paper_account_of_its_bundle_to_the_cent(arena, whole, tmp_path, side):
    challenge, status = whole
    shadow = PaperAccount(f"{challenge.name}.{side}", challenge.url, settings=challenge.settings).status()
    plain = PaperAccount("plain", f"sqlite:///{tmp_path / 'plain.sqlite'}", settings=arena.settings).run(
        getattr(arena, side), arena.data, start=arena.end, end=arena.end + BARS * HOUR_MS
    )
    # The challenge has ended after 60 bars, and the plain account goes on.
    assert shadow.result.equity_usd.tolist() == plain.result.equity_usd[:60].tolist()
    closed = [trade for trade in plain.result.trades if trade.exit_time < arena.end + 60 * HOUR_MS]
    assert list(shadow.result.trades) == closed
    assert len(closed) > 0
    assert status.to_json()[f"{side}_equity_usd"] == shadow.result.equity_usd[-1]


def test_a_challenge_that_is_interrupted_is_the_same_to_the_bit(arena, whole, tmp_path):
    challenge = challenge_of(arena, tmp_path)
    for bars in (1, 8, 30, BARS):
        run(arena, challenge, bars)
    expected = compared(whole[0])
    found = compared(challenge)
    # A replay that ends closes all positions, so only the forecasts are the same.
    assert [record.matured for record in found[:-1]] == [record.matured for record in expected[:-1]]
    assert challenge.status().to_json()["log_loss"] == whole[1].to_json()["log_loss"]


class Crash(BaseException):
    """Stands for a kill: not caught by any `except Exception`."""


@pytest.mark.parametrize("written", [False, True], ids=["before", "after"])
def test_a_crash_before_or_after_any_commit(arena, whole, tmp_path, monkeypatch, written):
    """Of either account and of the challenge: every session crashes at a later append than the last one."""
    challenge = challenge_of(arena, tmp_path)
    append = Journal.append
    left = 0

    def doomed(journal, records, **options):
        nonlocal left
        left -= 1
        if left == 0 and not written:
            raise Crash
        number = append(journal, records, **options)
        if left == 0:
            raise Crash
        return number

    monkeypatch.setattr(Journal, "append", doomed)
    for appends in (1, 2, 3, 4, 5, 6, 7, 31):
        left = appends
        with pytest.raises(Crash):
            run(arena, challenge)
    left = -1
    status = run(arena, challenge)
    assert compared(challenge)[:-1] == compared(whole[0])[:-1]
    for name in ("log_loss", "net_return", "champion_equity_usd", "challenger_equity_usd", "bars"):
        assert status.to_json()[name] == whole[1].to_json()[name]


def test_kill_minus_9_as_a_program(arena, whole, tmp_path):
    """Two kills of the process while it compares; then it runs to its end."""
    environment = {
        **os.environ,
        **arena.environment,
        "QUORATE_CHALLENGE__ALPHA": "0.00001",
        "QUORATE_CHALLENGE__HORIZON_BARS": "60",
        "OMP_NUM_THREADS": "1",
    }
    program = [sys.executable, "-c", "from quorate.cli.app import run; run()", "challenge"]
    begin = ["start", "--champion", arena.champion, "--challenger", arena.challenger, "--replay", "--data", arena.data]
    begin += ["--from", iso_ms(arena.end)[:16], "--to", iso_ms(arena.end + BARS * HOUR_MS)[:16]]
    file = tmp_path / "paper" / "journal.sqlite"

    def bars() -> int:
        if not file.exists():
            return 0
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as reading:
            try:
                return reading.execute("SELECT count(*) FROM journal WHERE kind = 'compared'").fetchone()[0]
            except sqlite3.OperationalError:
                return 0

    for wanted in (3, 24):
        running = subprocess.Popen(
            [*program, *begin, "--speed", "40"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 180
        while bars() < wanted and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert running.poll() is None, running.communicate()[1]
        running.send_signal(signal.SIGKILL)
        running.communicate()
        assert bars() >= wanted
    done = subprocess.run(
        [*program, *begin, "--json"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = whole[1].to_json()
    found = json.loads(done.stdout)
    assert {name: value for name, value in found.items() if name != "written_at"} == {
        name: value for name, value in expected.items() if name != "written_at"
    }


def test_live_candles_of_an_exchange(arena, tmp_path):
    """The first bar, a kill while it waits for the next one, and a session that continues and is interrupted."""
    environment = {**os.environ, **arena.environment, "OMP_NUM_THREADS": "1"}
    program = [sys.executable, "-c", "from quorate.cli.app import run; run()", "challenge"]
    begin = [*program, "start", "--champion", arena.champion, "--challenger", arena.challenger]
    begin += ["--exchange", "binanceusdm", "--symbols", "SYNA/USDT:USDT", "--json"]
    with spawn(arena.data, "--live") as stub:
        environment["QUORATE_EXCHANGE__URL"] = stub.url
        options = {"cwd": tmp_path, "env": environment, "text": True}
        for signal_, line in ((signal.SIGKILL, "e-value by log-loss"), (signal.SIGINT, "account challenge.challenger")):
            running = subprocess.Popen(begin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
            said = []
            for said_line in running.stderr:
                said.append(said_line)
                if line in said_line:
                    break
            running.send_signal(signal_)
            try:
                out, rest = running.communicate(timeout=30)
            finally:
                running.kill()
                running.wait()
    assert running.returncode == 0, "".join(said) + rest
    found = json.loads(out)
    assert (found["mode"], found["verdict"], found["bars"]) == ("live", "open", 1)
    assert found["symbols"] == ["SYNA/USDT:USDT"]
    assert found["waiting"] == 1


def test_a_verdict_ends_it_before_the_horizon(won):
    _, status, _ = won
    assert status.verdict == "challenger"
    assert status.to_json()["bars"] < 190
    assert status.to_json()["log_loss"]["bounds"][0] > 0


def test_a_challenge_that_has_ended_is_not_started_again(arena, won):
    with pytest.raises(ArgumentError, match="one that has ended: challenger"):
        run(arena, won[0])


def test_the_verdict_is_told_once_and_is_a_line_of_the_journal(won):
    challenge, status, bodies = won
    (body,) = bodies
    found = status.to_json()
    assert (body["event"], body["verdict"], body["challenge"]) == ("challenge", "challenger", challenge.name)
    assert (body["champion"], body["challenger"]) == (found["champion"], found["challenger"])
    assert body["text"].endswith(f"challenger: {found['reason']}")
    with Journal.open(challenge.url, challenge.name, role="reader") as journal:
        (entry,) = journal.read(kinds=[JudgedRecord])
    assert line(entry.record).endswith(f"challenge ended: challenger: {found['reason']}")


def test_a_person_promotes_the_winner(won, folder):
    challenge, status, _ = won
    found = status.to_json()
    asked = []
    assert challenge.promote(folder, confirm=lambda text: asked.append(text) or False) is None
    assert folder.champion() == found["champion"]
    assert asked == [
        f"Make {found['challenger']} the champion in place of {found['champion']}? "
        f"Challenge: challenger, {found['reason']}."
    ]
    change = challenge.promote(folder, by="ada", why="seen by hand", confirm=lambda _: True)
    assert change.changed
    assert folder.champion() == found["challenger"]
    newest = folder.history()[-1]
    assert newest.by == "ada"
    assert newest.why == f"challenge challenge: challenger, {found['reason']}; seen by hand"
    # It was not tested against itself.
    with pytest.raises(ArgumentError, match="it was not tested against"):
        challenge.promote(folder)


def test_without_a_victory_only_a_forced_promotion_with_a_reason(whole, folder):
    challenge, status = whole
    for options, words in (({}, "undecided, no e-value"), ({"force": True}, "`force` without `why`")):
        with pytest.raises(ArgumentError, match=words):
            challenge.promote(folder, **options)
        assert folder.champion() == status.to_json()["champion"]
    assert challenge.promote(folder, force=True, why="it has fewer members").changed


def test_the_command_asks_before_it_promotes(won, folder, monkeypatch):
    challenge, status, _ = won
    command = ["challenge", "promote", "--name", challenge.name, "--journal", challenge.url]
    command += ["--bundles", str(folder.folder)]
    refused = CliRunner().invoke(app, command, input="n\n")
    assert refused.exit_code == 1
    assert folder.champion() == status.to_json()["champion"]
    done = CliRunner().invoke(app, [*command, "--yes", "--json"])
    assert done.exit_code == 0, done.output
    assert folder.champion() == json.loads(done.stdout)["champion"] == status.to_json()["challenger"]


def test_a_person_stops_it_for_good(arena, tmp_path):
    challenge = challenge_of(arena, tmp_path)
    assert run(arena, challenge, 10).verdict == "open"
    status = challenge.stop(who="ann", note="enough seen")
    assert (status.verdict, status.to_json()["reason"]) == ("stopped", "by ann: enough seen")
    with pytest.raises(ArgumentError, match="one that has ended: stopped"):
        run(arena, challenge)


def test_a_running_challenge_ends_at_the_bar_after_a_stop(arena, tmp_path):
    challenge = challenge_of(arena, tmp_path)

    def listener(record):
        if isinstance(record, ComparedRecord) and record.time == arena.end + 4 * HOUR_MS:
            challenge.stop(who="ann")

    status = run(arena, challenge, listener=listener)
    assert (status.verdict, status.to_json()["bars"]) == ("stopped", 5)
    assert [type(record) for record in compared(challenge)][-1] is JudgedRecord


def test_what_is_no_challenge(arena, whole, tmp_path):
    challenge = challenge_of(arena, tmp_path)
    with pytest.raises(UnknownAccountError):
        challenge.status()
    with pytest.raises(ArgumentError, match="twice"):
        challenge.run(arena.champion, arena.champion, arena.data, start=arena.end)
    with pytest.raises(TrainingSpanError):
        challenge.run(arena.champion, arena.challenger, arena.data)
    with pytest.raises(ArgumentError, match="neither `data` nor `exchange`"):
        challenge.run(arena.champion, arena.challenger)
    run(arena, challenge, 3)
    with pytest.raises(JournalError, match="the champion"):
        challenge.run(arena.challenger, arena.champion, arena.data, start=arena.end)
    with pytest.raises(JournalError, match="the markets"):
        run(arena, challenge, 5, symbols="SYNA/USDT:USDT")
