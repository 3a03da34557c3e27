"""`quorate paper` as a program: replays, interruptions, status and requests."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from quorate.core.clock import HOUR_MS, format_ms, parse_ms
from stubs.binance import spawn

from .conftest import SMALL


@pytest.fixture(scope="module")
def paper(world, scratch, tmp_path_factory):
    """`quorate paper ARGUMENTS` on a journal of this module's; two members are enough for its guards."""
    folder = tmp_path_factory.mktemp("paper")
    extra = {
        **os.environ,
        **SMALL,
        "QUORATE_GUARDS__MODELS": "2",
        # No mean confidence reaches this: its guard halts after five signals.
        "QUORATE_GUARDS__CONFIDENCE": "0.99",
        "QUORATE_GUARDS__SIGNALS": "5",
        "QUORATE_GUARDS__SIGNALS_NEEDED": "5",
        "QUORATE_EVALUATION__LEDGER": f"{scratch}/trials.jsonl",
    }

    def command(*arguments):
        return [sys.executable, "-c", "from quorate.cli.app import run; run()", *map(str, arguments)]

    def go(*arguments, start=False, said=None, **variables):
        options = {"cwd": folder, "env": extra | variables, "text": True}
        if start:
            return subprocess.Popen(
                command("paper", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
            )
        verb = () if arguments[0] == "backtest" else ("paper",)
        return subprocess.run(command(*verb, *arguments), capture_output=True, check=False, input=said, **options)

    go.half, end = (format_ms(parse_ms(world.seam) + bars * HOUR_MS).replace(" ", "T") for bars in (80, 160))
    candles = ("--bundle", world.bundle, "--data", world.data, "--from", world.seam)
    go.replay = ("run", "--replay", *candles, "--to", end)
    go.until_half = ("run", "--replay", *candles, "--to", go.half)
    go.backtest = ("backtest", *candles, "--to", end, "--json")
    return go


def document(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def halted(paper):
    """A replay that its guards halt."""
    done = paper(*paper.replay, "--account", "halted", "--json")
    return document(done), done.stderr


def test_a_replay_is_the_guarded_backtest(paper, halted):
    found, log = halted
    expected = document(paper(*paper.backtest, "--guards"))
    assert found["final_equity_usd"] == pytest.approx(expected["final_equity_usd"], abs=0.005)
    assert len(found["trades"]) == len(expected["trades"]) > 0
    for mine, theirs in zip(found["trades"], expected["trades"], strict=True):
        assert {name: mine[name] for name in ("symbol", "side", "entry_time", "exit_time", "reason")} == {
            name: theirs[name] for name in ("symbol", "side", "entry_time", "exit_time", "reason")
        }
        assert mine["net_usd"] == pytest.approx(theirs["net_usd"], abs=0.005)
    assert found["synthetic"] is True
    assert [row["name"] for row in found["criteria"]] == [row["name"] for row in expected["criteria"]]
    assert "| xgb:" in log, "a line a decision"
    assert not re.search(r" HOLD \d+% by ", log), "only with -v"
    assert "replaying" not in log, "a bar of progress on a terminal alone"
    assert re.match(r"\d+ trades?: [-+][\d.]+ %.*, beside [-+].* by holding", found["verdict"]["sentence"])
    assert "xgboost: loaded" in log
    assert "mode full, 2 of 2 members, quorum 2" in log


def test_a_replay_without_guards_is_the_plain_backtest(paper):
    done = paper(*paper.replay, "--account", "plain", "--no-guards", "-v", "--json")
    assert re.search(r" HOLD \d+% by ", done.stderr)
    found = document(done)
    expected = document(paper(*paper.backtest))
    assert found["final_equity_usd"] == pytest.approx(expected["final_equity_usd"], abs=0.005)
    assert len(found["trades"]) == len(expected["trades"])
    assert found["guards"] is None


def test_a_killed_and_an_interrupted_replay_end_with_the_same_trades(paper, halted):
    for number, sent in enumerate((signal.SIGKILL, signal.SIGINT)):
        running = paper(*paper.replay, "--account", "killed", "--speed", "60", "--quiet", start=True)
        said = []
        for line in running.stderr:
            said.append(line)
            if "next bar" in line:
                break
        time.sleep(0.5 + number / 4)
        running.send_signal(sent)
        _, rest = running.communicate(timeout=30)
        assert running.returncode == (-signal.SIGKILL if sent == signal.SIGKILL else 0), "".join(said) + rest
    middle = document(paper("status", "--account", "killed", "--json"))
    assert middle["session"]["running"] is False
    assert middle["last_bar"] < halted[0]["last_bar"]
    found = document(paper(*paper.replay, "--account", "killed", "--quiet", "--json"))
    assert found["session"]["number"] == 3
    assert found["trades"] == halted[0]["trades"]
    assert found["final_equity_usd"] == halted[0]["final_equity_usd"]
    assert found["equity"] == halted[0]["equity"]


def test_status_is_read_from_the_journal(paper, halted):
    found = document(paper("status", "--account", "halted", "--json"))
    assert found["mode"] == "HALTED"
    (confidence,) = [guard for guard in found["guards"] if guard["guard"] == "confidence"]
    assert confidence["mode"] == "HALTED"
    assert confidence["rearm"] == "human"
    assert found["ladder"]["step"] == 1
    assert sum(found["decisions"]["mix"].values()) == pytest.approx(1.0)
    assert found["members"] == {"lightgbm": "voted", "xgboost": "voted"}
    assert found["equity_usd"] == halted[0]["final_equity_usd"]
    brief = paper("status", "--account", "halted", COLUMNS="80").stdout
    assert len(brief.splitlines()) <= 24
    assert re.search(r"HALTED, not running since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", " ".join(brief.split()))
    assert found["verdict"]["sentence"].split(":")[0] in brief
    shown = paper("status", "--account", "halted", "--full")
    assert shown.returncode == 0
    for words in ("HALTED", "Success criteria", "Ladder: step 1 of 4", "SYNTHETIC", "Consensus of"):
        assert words in shown.stdout


def test_rearm_and_promote_requests(paper, halted):
    del halted
    refused = paper("rearm", "confidenc", "--account", "halted", "--yes")
    assert refused.returncode == 1
    assert "Did you mean 'confidence'?" in refused.stderr
    assert paper("rearm", "models", "--account", "halted", "--yes").returncode == 1
    early = paper("promote", "--account", "halted", "--yes", "--json")
    assert early.returncode == 1
    assert "at least 50" in json.loads(early.stdout)["error"]["expected"]
    unsure = paper("rearm", "confidence", "--account", "halted", said="n\n")
    assert unsure.returncode == 1
    assert "Sure?" in unsure.stderr
    assert document(paper("status", "--account", "halted", "--json"))["requests"] == []
    ada = ("--who", "Ada", "--note", "seen")
    asked = document(paper("rearm", "confidence", "--account", "halted", *ada, "--yes", "--json"))
    assert (asked["action"], asked["guard"], asked["who"], asked["note"]) == ("rearm", "confidence", "Ada", "seen")
    found = document(paper("status", "--account", "halted", "--json"))
    assert [(one["guard"], one["who"]) for one in found["requests"]] == [("confidence", "Ada")]
    assert found["mode"] == "HALTED", "until a session applies it"


def test_a_guard_is_rearmed_while_a_session_runs(paper):
    first = document(paper(*paper.until_half, "--account", "armed", "--quiet", "--json"))
    assert first["mode"] == "HALTED"
    document(paper("rearm", "confidence", "--account", "armed", "--who", "Ada", "--yes", "--json"))
    found = document(paper(*paper.replay, "--account", "armed", "--quiet", "--json"))
    moves = [(move["what"], move["before"], move["after"]) for move in found["moves"] if move["what"] == "confidence"]
    assert ("confidence", "HALTED", "ACTIVE") in moves
    assert len(found["trades"]) > len(first["trades"]), "entries go on"
    assert found["requests"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--bundle", "b", "--replay"),
        ("run", "--bundle", "b", "--data", "d"),
        ("run", "--bundle", "b", "--exchange", "binanceusdm", "--from", "2025-01-01"),
        ("run", "--bundle", "b", "--replay", "--data", "d", "--top", "3"),
    ],
)
def test_wrong_usage_ends_with_exit_code_2(paper, arguments):
    assert paper(*arguments).returncode == 2


def test_refused_runs(paper, world, halted):
    del halted  # its replay has made the journal
    seen = paper(
        "run", "--replay", "--bundle", world.bundle, "--data", world.data, "--from", "2024-01-20", "--account", "seen"
    )
    assert seen.returncode == 1
    assert "inside the training span" in seen.stderr
    other = paper(*paper.replay, "--timeframe", "4h", "--account", "other")
    assert other.returncode == 2
    assert "found --timeframe 4h; expected 1h, the timeframe of the bundle" in other.stderr
    nobody = paper("status", "--account", "nobody")
    assert nobody.returncode == 1
    assert "no such account" in nobody.stderr


def test_live_candles_of_an_exchange(paper, world):
    with spawn(world.data, "--live") as stub:
        arguments = ("--bundle", world.bundle, "--exchange", "binanceusdm", "--symbols", "SYNA/USDT:USDT")
        running = paper("run", *arguments, "--account", "live", "--json", start=True, QUORATE_EXCHANGE__URL=stub.url)
        said = []
        for line in running.stderr:
            said.append(line)
            if "SYNA/USDT:USDT HOLD" in line or "SYNA/USDT:USDT no entry: late" in line:
                break
        # The next bar is up to an hour away; a waiting session can be stopped.
        running.send_signal(signal.SIGINT)
        try:
            out, rest = running.communicate(timeout=30)
        finally:
            running.kill()
            running.wait()
    assert running.returncode == 0, "".join(said) + rest
    found = json.loads(out)
    assert found["session"]["kind"] == "live"
    assert found["decisions"]["bars"] == 1
    assert found["equity_usd"] == 1_000.0
