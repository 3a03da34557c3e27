"""A bundle's members are checked, and those who are benched abstain wherever the bundle decides."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import ArgumentError, DataError
from quorate.core.progress import silent
from quorate.core.settings import BenchSettings
from quorate.core.types import Action
from quorate.ensemble.bundle import bundle_files
from quorate.ensemble.inference.bench import Bench, BenchSpan
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.series.bench_file import StoredBench, bench_path
from quorate.evaluation.drift_reference import FILE_NAME, DriftReference
from quorate.lifecycle.bench import bench_history, check_bench, put_on_bench, read_bench, take_off_bench, write_bench
from quorate.lifecycle.bench.check import Watched, judge
from quorate.lifecycle.bench.notice import bench_messages
from quorate.lifecycle.drift.unseen import read_unseen
from quorate.workflows.inputs.predictors import load_live, load_predictor
from quorate.workflows.signals import signals
from stubs.watched import SETTINGS

ASIDE = replace(SETTINGS, bench=BenchSettings(apply=False))
EXPIRING = replace(SETTINGS, bench=BenchSettings(shelf_days={"xgboost": 20.0}))


@pytest.fixture(scope="module")
def bundle(watched):
    return load_bundle(watched.path)


@pytest.fixture(scope="module")
def judged(watched, bundle):
    """Judges outcomes whose members are changed in the newest days: change, days -> the check."""
    reference = DriftReference.parse(bundle_files.read_file(watched.path, bundle.manifest, FILE_NAME), "read it")
    start = bundle.manifest.used_until
    rows = read_unseen(bundle, watched.panel, start, silent, scored=True)

    def judge_changed(change=lambda table: table, days=14, settings=SETTINGS):
        outcomes = rows.outcomes
        newest = outcomes.time >= watched.end - days * DAY_MS
        table = outcomes.members["lightgbm"].copy()
        table[newest] = change(table[newest])
        changed = replace(outcomes, members={**outcomes.members, "lightgbm": table})
        return judge(bundle, reference, changed, Watched(start, watched.end, watched.end, True), settings)

    return judge_changed


def inverted(table):
    return table[:, ::-1]


def test_training_keeps_limits_of_every_member(watched, bundle):
    reference = DriftReference.parse(bundle_files.read_file(watched.path, bundle.manifest, FILE_NAME), "read it")
    assert list(reference.members) == ["xgboost", "lightgbm"]
    for own in reference.members.values():
        assert own.skill_limit < own.skill
        assert own.behind < own.behind_limit


def test_sound_members_are_not_benched(watched):
    found = check_bench(watched.path, watched.panel, settings=SETTINGS, now=watched.end)
    assert found.benched == ()
    assert found.headline == "nobody is benched"
    assert [member.model for member in found.members] == ["xgboost", "lightgbm"]
    for member in found.members:
        assert member.skill.value > member.skill.limit
        assert member.error.value < member.error.limit
        assert member.behind.value < member.behind.limit
    assert found.looked_at == watched.end // DAY_MS * DAY_MS
    assert found.synthetic
    json.dumps(found.to_json(), allow_nan=False)


def test_the_check_is_that_of_its_rows(watched, judged):
    assert check_bench(watched.path, watched.panel, settings=SETTINGS, now=watched.end) == judged()


def test_a_member_with_inverted_scores_is_benched(watched, judged):
    found = judged(inverted)
    (span,) = found.benched
    assert span.model == "lightgbm"
    assert watched.end - 14 * DAY_MS < span.start <= watched.end - 7 * DAY_MS
    assert found.headline.startswith("benched: lightgbm since ")
    figure = next(member for member in found.members if member.model == "lightgbm").behind
    assert figure.value > figure.limit


def test_a_member_expires_by_the_setting(watched, bundle, judged):
    (span,) = judged(settings=EXPIRING).benched
    assert (span.model, span.start) == ("xgboost", bundle.manifest.training_end + 20 * DAY_MS)
    assert span.reason == "expired: older than 20 days"


def test_what_is_written_is_read_and_by_hand_stays(bundles, watched, judged):
    path = bundles / watched.id
    put_on_bench(path, "xgboost", "a wrong column", "ana", settings=SETTINGS, now=watched.end)
    after, before = write_bench(path, judged(inverted))
    assert [span.by for span in before.spans] == ["ana"]
    assert read_bench(path, watched.id) == after
    assert read_bench(bundles, watched.id) == after
    assert {span.model for span in after.benched} == {"xgboost", "lightgbm"}
    assert write_bench(path, judged(inverted))[0] == after
    assert [message["event"] for message in bench_messages(after, None, 0)] == ["benched", "benched"]
    (message,) = bench_messages(judged(), judged(inverted), 0)
    assert (message["event"], message["text"]) == ("returned", f"Bundle {watched.id}: lightgbm votes again")


def test_a_person_ends_what_a_person_began_and_nothing_else(bundles, watched, judged):
    path = bundles / watched.id
    with pytest.raises(ArgumentError, match="a member that is not benched"):
        take_off_bench(path, "xgboost", settings=SETTINGS)
    put_on_bench(path, "xgboost", "a wrong column", "ana", settings=SETTINGS, now=watched.end)
    with pytest.raises(ArgumentError, match="benched by hand"):
        put_on_bench(path, "xgboost", "again", "ana", settings=SETTINGS)
    found = take_off_bench(path, "xgboost", settings=SETTINGS, now=watched.end + HOUR_MS)
    assert found.benched == ()
    assert found.spans[0].end == watched.end + HOUR_MS
    write_bench(path, judged(inverted))
    with pytest.raises(ArgumentError, match="by the rule"):
        take_off_bench(path, "lightgbm", settings=SETTINGS)
    with pytest.raises(ArgumentError, match="no such member"):
        put_on_bench(path, "lightgbn", "why", "ana", settings=SETTINGS)
    with pytest.raises(ArgumentError, match="no reason"):
        put_on_bench(path, "xgboost", " ", "ana", settings=SETTINGS)


def test_signals_of_a_benched_member_are_abstentions_with_the_reason(bundles, watched):
    """The live road: the file that a person or a check wrote, through the bundle, to the signal."""
    path = bundles / watched.id
    symbol = next(iter(watched.panel))
    panel = {symbol: watched.panel[symbol]}
    before = signals(path, panel, settings=SETTINGS)[0].signal
    put_on_bench(path, "lightgbm", "a wrong column", "ana", settings=SETTINGS, now=watched.end - DAY_MS)
    found = signals(path, panel, settings=SETTINGS)
    signal = found[0].signal
    assert [(out.model, out.reason) for out in signal.abstentions] == [("lightgbm", "benched: a wrong column")]
    assert [vote.model for vote in signal.votes] == ["xgboost"]
    assert (signal.mode, found.mode) == ("partial", "partial")
    assert signal.rule == "no_quorum"
    assert signal.action == Action.HOLD
    # What it would have voted is kept, and what the others vote is as it was.
    assert signal.benched == (before.votes[1],)
    assert signal.votes == (before.votes[0],)
    assert signal.to_json()["benched"] == [before.votes[1].to_json()]
    assert "lgbm:ABSTAIN" in signal.line()
    # Without the setting, nothing changes.
    assert signals(path, panel, settings=ASIDE)[0].signal == before


def test_a_frame_and_live_bars_are_decided_alike(bundle, watched):
    candles = next(iter(watched.panel.values()))
    start, end = watched.end - 3 * DAY_MS, watched.end - DAY_MS
    benched = bundle.with_bench(lambda _: Bench((BenchSpan("lightgbm", start, end, "drifted"),)))
    frame, whole = benched.predict_frame(candles), bundle.predict_frame(candles)
    closes = candles.time + HOUR_MS
    inside = (closes >= start) & (closes < end)
    assert np.isnan(frame.scores["lightgbm"][inside]).all()
    np.testing.assert_array_equal(frame.scores["lightgbm"][~inside], whole.scores["lightgbm"][~inside])
    np.testing.assert_array_equal(frame.action[~inside], whole.action[~inside])
    np.testing.assert_array_equal(frame.scores["xgboost"], whole.scores["xgboost"])
    first, after = np.flatnonzero(inside)[[0, -1]] + [0, 1]
    for bar in (first - 1, first, after - 1, after):
        signal = benched.predict(candles[: bar + 1], now=int(closes[bar]))
        assert signal.action == frame.action[bar]
        assert signal.rule == frame.rule[bar]
        assert signal.confidence == pytest.approx(frame.confidence[bar], abs=1e-6)
        assert bool(signal.benched) == bool(inside[bar])


def test_all_members_on_the_bench_is_a_hold_and_not_the_fallback_rules(bundle, watched):
    spans = tuple(BenchSpan(model, 0, None, "drifted") for model in ("xgboost", "lightgbm"))
    benched = bundle.with_bench(lambda _: Bench(spans))
    signal = benched.predict(next(iter(watched.panel.values())))
    assert (signal.action, signal.rule, signal.votes) == (Action.HOLD, "no_votes", ())
    assert len(signal.benched) == 2
    assert signal.mode == "partial"


def test_a_restart_finds_the_bench_and_a_change_is_seen_at_once(bundles, watched, judged):
    path = bundles / watched.id
    stored = StoredBench(path)
    assert stored(watched.id).spans == ()
    write_bench(path, judged(inverted))
    assert stored(watched.id).at(watched.end) == StoredBench(path)(watched.id).at(watched.end)
    assert list(stored(watched.id).at(watched.end)) == ["lightgbm"]
    loaded = load_live(path, SETTINGS)
    assert list(loaded.bench.at(watched.end)) == ["lightgbm"]
    assert load_predictor(path, SETTINGS).bench.spans == ()
    write_bench(path, judged())
    assert loaded.bench.at(watched.end) == {}


def test_a_damaged_file_leaves_the_bench_as_it_was_and_is_said_once(bundles, watched, judged, caplog):
    path = bundles / watched.id
    write_bench(path, judged(inverted))
    stored = StoredBench(path)
    assert stored(watched.id).spans
    file = bench_path(path, watched.id)
    content = json.loads(file.read_text())
    for damaged in ("{", "[]", json.dumps({**content, "spans": [{}]}), json.dumps({**content, "bundle": "other"})):
        file.unlink()
        file.write_text(damaged)
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            assert stored(watched.id).at(watched.end).keys() == {"lightgbm"}
            stored(watched.id)
        assert len(caplog.records) == 1
        assert StoredBench(path)(watched.id).spans == ()
        with pytest.raises(DataError):
            read_bench(path, watched.id)


def test_the_history_of_a_past_day_is_that_of_a_check_at_that_day(watched):
    """Candles after a day change nothing that was found at it, and a replay is benched as a watcher would have been."""
    early = watched.end - 10 * DAY_MS
    poisoned = {}
    for name, candles in watched.panel.items():
        later = candles.time + HOUR_MS > early
        columns = {column: getattr(candles, column) for column in ("open", "high", "low", "close")}
        poisoned[name] = replace(candles, **{name: np.where(later, 3 * own, own) for name, own in columns.items()})
    at_day = check_bench(watched.path, watched.panel, settings=SETTINGS, until=early, now=watched.end)
    assert at_day == check_bench(watched.path, poisoned, settings=SETTINGS, until=early, now=watched.end)
    bench_of = bench_history(watched.path, watched.panel, settings=EXPIRING, until=watched.end)
    assert list(bench_of(watched.id).at(watched.end)) == ["xgboost"]
    assert bench_of("another").spans == ()
