"""Members that fail on several of the newest bars are benched, and return by the same test; a restart knows it."""

import random
from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import BenchSettings
from quorate.core.types import Abstention, Action, Vote
from quorate.ensemble.inference.bench import apart, no_bench
from quorate.ensemble.voting.vote import decide
from quorate.trading.journal import Journal
from quorate.trading.paper.benched_members import bench_moves, shadows
from quorate.trading.paper.decided_signals import decided_bars
from quorate.workflows.paper.failing_members import FailingMembers, watch_failures

SETTINGS = BenchSettings(failures=3, failure_bars=6)
MODELS = ("xgboost", "nhits")
MARKETS = ("A", "B")


def outcome(failed):
    """Votes of a bar in one market, some of which failed."""
    return [Abstention(m, "exceeded 250 ms") if m in failed else Vote(m, Action.BUY, 0.8) for m in MODELS]


def signals(watch, time, failures):
    """Decisions on a bar, as a session makes them: failures are of each market."""
    watch.begin(time)
    benched = watch.bench_with(no_bench)("id").at(time + HOUR_MS)
    found = []
    for market, failed in zip(MARKETS, failures, strict=True):
        counted, shadow = apart(outcome(failed), benched)
        found.append(replace(decide(counted, 0.02, symbol=market, time=time), benched=shadow))
    watch.add(found)
    return found


def run(bars):
    """Who is benched on each bar; bars are members that fail in both markets."""
    watch, states = FailingMembers(SETTINGS, HOUR_MS), []
    for number, failed in enumerate(bars):
        made = signals(watch, number * HOUR_MS, [failed] * 2)
        states.append({out.model for out in made[0].abstentions if out.benched})
    return states


def text(bars):
    """x where nhits fails -> B where it is benched."""
    return "".join(
        "B" if "nhits" in state else "." for state in run([{"nhits"} if bar == "x" else set() for bar in bars])
    )


@pytest.mark.parametrize(
    ("bars", "benched"),
    [
        ("..xx......", ".........."),
        ("..xxx.........", ".....BBBBBB..."),
        ("..x.x.x.......", ".......BBBBBB."),
        ("..x...x...x...", ".............."),
        ("..xxxxxxxxxx..........", ".....BBBBBBBBBBB......"),
        ("..xxx....xx....", ".....BBBBBB...."),
    ],
)
def test_three_failures_in_six_bars_bench_for_six_bars(bars, benched):
    assert text(bars) == benched


def test_a_vote_in_one_market_is_an_answer():
    watch = FailingMembers(SETTINGS, HOUR_MS)
    for number in range(8):
        signals(watch, number * HOUR_MS, [{"nhits"}, set()])
    assert watch.spans == ()


def test_a_bar_that_is_decided_twice_counts_once():
    watch = FailingMembers(SETTINGS, HOUR_MS)
    for number in range(3):
        for _ in range(3):
            signals(watch, number * HOUR_MS, [{"nhits"}] * 2)
    assert watch.spans == ()
    signals(watch, 3 * HOUR_MS, [{"nhits"}] * 2)
    assert [span.model for span in watch.spans] == ["nhits"]


def test_too_little_history_is_no_failure():
    watch = FailingMembers(SETTINGS, HOUR_MS)
    for number in range(8):
        watch.begin(number * HOUR_MS)
        watch.add([decide([Abstention("nhits", "20 bars, and it reads 120")], 0.02)])
    assert watch.spans == ()


@pytest.mark.parametrize("seed", range(2))
def test_a_restart_at_any_bar_continues_with_the_same_bench(tmp_path, seed):
    chances = random.Random(seed)
    bars = [{model for model in MODELS if chances.random() < 0.45} for _ in range(40)]
    whole = run(bars)
    assert any(whole)
    url, known, found = f"sqlite:///{tmp_path}/journal.sqlite", {}, []
    for number, failed in enumerate(bars):
        # Every bar in a process of its own.
        with Journal.open(url, "paper") as journal:
            watch = watch_failures(SETTINGS, HOUR_MS, journal, MARKETS)
            time = number * HOUR_MS
            made = signals(watch, time, [failed] * 2)
            found.append({out.model for out in made[0].abstentions if out.benched})
            moves = bench_moves(made, time, known)
            journal.append([*(bar.record for bar in decided_bars(made, time)), *moves, *shadows(made, time)])
            known = {**known, **{move.model: move.reason for move in moves if move.benched}}
            known = {m: why for m, why in known.items() if m not in {move.model for move in moves if not move.benched}}
    assert found == whole
