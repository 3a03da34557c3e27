"""The search on a planted skill: what it finds, ends early, repeats and records, and how it keeps its budget."""

import pytest

from lifecycle.tune.conftest import FIRST, Planted
from quorate.core.errors import ModelError
from quorate.lifecycle.tune.trial_state import best_of


def told(search):
    return [(trial.choices, trial.end, trial.skill, trial.spans) for trial in search.ended()]


def test_it_begins_with_the_settings_as_they_are_and_finds_the_planted_ones(make_search):
    search = make_search(Planted(), trials=16)
    assert search.run(1) == 0
    trials = search.ended()
    assert trials[0].choices == FIRST
    best = best_of(trials)
    assert best.choices["kind"] == "better"
    assert best.choices["x"] == pytest.approx(0.7, abs=0.15)
    # The noise of a day is at most 0.001.
    assert best.skill == pytest.approx(Planted().skill(best.choices), abs=0.001)


# One-sided Wilcoxon test of n blocks that are all worse: p = 1 / 2^n. By blocks of 3 days, 12 days are 4 blocks and
# 15 days are 5: 1/16 is above 0.05, 1/32 is not.
@pytest.mark.parametrize(("days", "spans"), [(12, 2), (15, 1)])
def test_a_trial_that_is_worse_on_all_of_five_blocks_ends_early(make_search, days, spans):
    search = make_search(Planted(days), prune=0.05, trials=1, days=days)
    search.run(1)
    search.study.enqueue_trial({"x": 0.0, "kind": "better"})
    search.study.enqueue_trial({"x": 0.0001, "kind": "plain"})
    more = make_search(Planted(days), prune=0.05, trials=3, days=days)
    more.run(1)
    first, better, worse = more.ended()
    assert (first.end, better.end) == ("complete", "complete")
    # 12 days: in the second span there are 8 blocks; the trial has all its spans by then.
    assert (worse.spans, worse.end) == (spans, "complete" if spans == 2 else "pruned")
    assert [count for _, count, _ in more.recorded] == [2, spans]


def test_the_settings_as_they_are_are_never_ended_early(make_search):
    search = make_search(Planted(), prune=0.05)
    search.study.enqueue_trial({"x": 0.7, "kind": "better"})
    search.study.enqueue_trial(FIRST)
    search._most = 2
    search.run(1)
    assert [trial.end for trial in search.ended()] == ["complete", "complete"]


def test_an_interrupted_study_makes_the_same_trials_and_counts_each_once(make_search):
    whole = make_search(Planted(), folder="whole", prune=0.05, trials=6)
    whole.run(1)
    parts = []
    for fails_at in (4, 4, 0):
        search = make_search(Planted(fails_at=fails_at), prune=0.05, trials=6)
        if fails_at:
            with pytest.raises(KeyboardInterrupt):
                search.run(1)
        else:
            assert search.run(1) == 1
        parts += search.recorded
    assert told(search) == told(whole)
    assert parts == whole.recorded
    assert len(search.study.trials) == 6 + 2


def test_a_trial_that_was_recorded_but_not_marked_as_ended_is_done_again(make_search):
    def killed(choices, scores, end):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_search(Planted(), trials=2, record=killed).run(1)
    search = make_search(Planted(), trials=2)
    assert search.run(1) == 1
    assert search.recorded[0][0] == FIRST
    assert len(search.ended()) == 2


def test_no_trial_begins_that_cannot_end_in_time(make_search):
    # A trial takes 20 s and the judgement 2 * 1.5 * 10 s: the last one may begin at 130 of 180 s, and begins at 120.
    scorer = Planted()
    search = make_search(scorer, minutes=3)
    search.run(1)
    assert len(search.ended()) == 7
    assert search.spent_s == 140
    # What was used counts in the next run: 40 s are left, and a trial with its judgement needs 50.
    again = make_search(Planted(), minutes=3)
    again.run(1)
    assert len(again.ended()) == 7
    more = make_search(Planted(), minutes=4)
    more.run(1)
    assert len(more.ended()) == 7 + 3


def test_a_trial_that_takes_longer_than_expected_is_stopped_and_waits(make_search):
    class Slowing(Planted):
        def __call__(self, key, given, report):
            self.seconds = 100.0 if len(self.calls) >= 12 else 10.0
            return super().__call__(key, given, report)

    search = make_search(Slowing(), minutes=3)
    search.run(1)
    assert len(search.ended()) == 6
    assert len(search.recorded) == 6
    stopped = search.study.trials[6].params
    more = make_search(Planted(), minutes=1e3, trials=7)
    assert more.run(1) == 0
    assert more.ended()[-1].choices == stopped


def test_members_that_cannot_be_fitted_as_they_are_end_the_search(make_search):
    class Failing(Planted):
        def __call__(self, key, given, report):
            score = super().__call__(key, given, report)
            return type(score)(score.time[:0], score.loss[:0], score.loss[:0], score.loss[:0], 1.0, "no library")

    with pytest.raises(ModelError, match="no library"):
        make_search(Failing()).run(1)


def test_a_trial_that_fails_is_counted_and_not_recorded(make_search):
    class FailsOnce(Planted):
        def __call__(self, key, given, report):
            score = super().__call__(key, given, report)
            failure = "no such layer" if key.trial == 1 else ""
            return type(score)(score.time, score.loss, score.reference, score.leaning, 1.0, failure)

    search = make_search(FailsOnce(), trials=3)
    search.run(1)
    assert [trial.end for trial in search.ended()] == ["complete", "failed", "complete"]
    assert search.ended()[1].failure == "no such layer"
    assert len(search.recorded) == 2
