"""Members that vote are chosen as in a walk-forward, and only they count wherever the bundle decides."""

import json
import logging
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import ArgumentError, DataError
from quorate.core.progress import silent
from quorate.core.settings import SelectSettings
from quorate.ensemble.inference.bench import Bench, BenchSpan
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.selection import Membership, Term
from quorate.ensemble.series.selection_file import StoredSelection, selection_path
from quorate.evaluation.walk_forward.walk_membership import walk_membership
from quorate.lifecycle.bench.check import Watched
from quorate.lifecycle.drift.unseen import read_unseen
from quorate.lifecycle.selection import check_selection, read_selection, selection_history, watch_selection
from quorate.lifecycle.selection.check import choose
from quorate.lifecycle.selection.watch import selection_message
from quorate.workflows.inputs.predictors import load_live, load_predictor
from stubs.watched import SETTINGS

ONE = replace(SETTINGS, select=SelectSettings(size=1, days=3, margin=0.0, tenure_days=1))


@pytest.fixture(scope="module")
def bundle(watched):
    return load_bundle(watched.path)


@pytest.fixture(scope="module")
def outcomes(watched, bundle):
    """Of all bars that no member was fitted on."""
    return read_unseen(bundle, watched.panel, bundle.manifest.fitted_until, silent, scored=True).outcomes


def test_the_choice_is_that_of_a_walk_forward_on_the_same_scores(watched, bundle, outcomes):
    manifest = bundle.manifest
    seen = Watched(manifest.fitted_until, watched.end, watched.end, True)
    found = choose(bundle, outcomes, seen, ONE).membership
    assert len(found.terms) > 3  # both members are trees of the same rows: without a margin they change often
    tested = outcomes.time >= manifest.used_until
    rows = SimpleNamespace(
        y=outcomes.y,
        time=outcomes.time,
        span_end=outcomes.known_at - HOUR_MS,
        known=np.ones(len(outcomes.y), bool),
        bar_ms=HOUR_MS,
    )
    middle = manifest.used_until + 10 * DAY_MS
    folds = tuple(
        SimpleNamespace(start=start, test=np.flatnonzero((outcomes.time >= start) & (outcomes.time < end)))
        for start, end in ((manifest.used_until, middle), (middle, watched.end))
    )
    before = np.flatnonzero(~tested)
    held_out = before, {name: table[before] for name, table in outcomes.scores.items()}
    scores = {name: np.where(tested[:, None], table, np.nan) for name, table in outcomes.scores.items()}
    prior = np.broadcast_to(np.array(manifest.class_prior), (len(tested), 3))
    walked = walk_membership(rows, folds, scores, prior, held_out, replace(ONE, vote=manifest.policy))
    assert walked.terms[0].start // DAY_MS == manifest.used_until // DAY_MS
    # A day before the first whole one has labels in the one and not in the other.
    assert [term.members for term in walked.terms[-3:]] == [term.members for term in found.terms[-3:]]
    assert [term.start for term in walked.terms[-3:]] == [term.start for term in found.terms[-3:]]


def test_only_those_that_are_chosen_count(watched, bundle):
    start = watched.end - 5 * DAY_MS
    membership = Membership(1, (Term(start, ("lightgbm",)),))
    chosen = bundle.with_bench(lambda _: Bench(membership=membership))
    candles = next(iter(watched.panel.values()))
    frame = chosen.predict_frame(candles.between(start=watched.end - 12 * DAY_MS))
    late = frame.time + HOUR_MS >= start
    for name, own in (("lightgbm", late), ("xgboost", ~late)):
        decided = np.isfinite(bundle.predict_frame(candles.between(start=watched.end - 12 * DAY_MS)).scores[name][:, 0])
        assert np.array_equal(np.isfinite(frame.scores[name][:, 0]), own & decided)
        assert np.array_equal(np.isfinite(frame.unselected[name][:, 0]), ~own & decided)
    signal = chosen.predict(candles, now=watched.end)
    assert [vote.model for vote in signal.votes] == ["lightgbm"]
    assert [vote.model for vote in signal.unselected] == ["xgboost"]
    (out,) = signal.abstentions
    assert out.reason.startswith("not selected: since ")
    assert signal.mode == "full"
    assert chosen.quorum == 1
    assert "xgb" not in signal.line()
    alone = frame.between(start=signal.time)
    assert (int(alone.action[0]), alone.consensus[0], alone.rule[0]) == (signal.action, signal.consensus, signal.rule)
    assert alone.confidence[0] == pytest.approx(signal.confidence, abs=1e-6)


def test_a_benched_member_that_is_chosen_abstains_and_counts(watched, bundle):
    bench = Bench((BenchSpan("xgboost", 0, None, "drifted"),), Membership(1))
    signal = bundle.with_bench(lambda _: bench).predict(next(iter(watched.panel.values())), now=watched.end)
    assert signal.votes == ()
    assert [vote.model for vote in signal.benched] == ["xgboost"]
    assert [vote.model for vote in signal.unselected] == ["lightgbm"]
    assert [out.reason.split(":")[0] for out in signal.abstentions] == ["benched", "not selected"]
    assert (signal.mode, signal.rule) == ("partial", "no_votes")


def test_what_is_written_is_what_decides(watched, bundles):
    found = watch_selection(bundles, watched.panel, settings=ONE, clock=lambda: watched.end)
    assert read_selection(bundles, watched.id) == found
    assert found == check_selection(bundles, watched.panel, settings=ONE, now=watched.end)
    assert json.loads(json.dumps(found.to_json()))["members"][0]["model"] == "xgboost"
    newest = found.terms[-1].members
    assert found.headline.startswith(f"{newest[0]} votes since ")
    candles = next(iter(watched.panel.values()))
    live = load_live(bundles, ONE).predict(candles, now=watched.end)
    assert tuple(vote.model for vote in live.votes) == newest
    assert len(load_live(bundles, SETTINGS).predict(candles, now=watched.end).votes) == 2
    past = load_predictor(bundles, ONE).with_bench(selection_history(bundles, watched.panel, settings=ONE))
    assert past.newest.bench.membership == found.membership


def test_a_missed_day_changes_nothing(watched):
    early = check_selection(watched.path, watched.panel, settings=ONE, now=watched.end, until="2024-03-20")
    whole = check_selection(watched.path, watched.panel, settings=ONE, now=watched.end)
    known = [term for term in whole.terms if early.looked_at is None or term.start <= early.looked_at]
    assert early.terms == tuple(known)


def test_without_a_file_the_first_members_vote_and_a_bad_one_is_logged_once(watched, bundles, caplog):
    stored = StoredSelection(bundles, 1)
    order = ("xgboost", "lightgbm")
    assert stored(watched.id).at(0, order) == ("xgboost",)
    path = selection_path(bundles, watched.id)
    path.parent.mkdir()
    term = Term(0, ("lightgbm",)).to_json()
    path.write_text(json.dumps({"bundle": watched.id, "size": 1, "terms": [term]}))
    assert stored(watched.id).at(5, order) == ("lightgbm",)
    with caplog.at_level(logging.ERROR):
        path.write_text(json.dumps({"bundle": watched.id, "size": 2, "terms": []}))
        assert stored(watched.id).at(5, order) == ("lightgbm",)
        assert stored(watched.id).at(5, order) == ("lightgbm",)
    assert [record.message.split(":")[0] for record in caplog.records] == [f"who votes of {watched.id} stays as it was"]
    path.write_text("{}")
    with pytest.raises(DataError, match="what `quorate select check` wrote"):
        read_selection(bundles, watched.id)


def test_everybody_votes_by_default(watched):
    with pytest.raises(ArgumentError, match=r"select\.size = 0"):
        check_selection(watched.path, watched.panel, settings=SETTINGS, now=watched.end)


def test_a_change_is_told_and_the_first_choice_is_not(watched):
    found = check_selection(watched.path, watched.panel, settings=ONE, now=watched.end)
    before = replace(found, membership=Membership(1, found.terms[:-1]))
    assert selection_message(found, None, 0) is None
    assert selection_message(found, found, 0) is None
    message = selection_message(found, before, 0)
    assert message["event"] == "selected"
    assert message["text"].startswith(f"Bundle {watched.id}: {found.terms[-1].members[0]} vote: ")
