"""The time that is left, on a clock that the tests set."""

import itertools

import pytest

from quorate.core.progress import Part, RunEstimate

# Seconds per unit elsewhere, and in the simulated run: none of them as expected.
EXPECTED = {"trees": 1.0, "network": 2.0, "line": 0.5}
HERE = {"trees": 3.0, "network": 18.0, "line": 1.0}
FOLDS = 5


class Shown:
    def __init__(self):
        self.said = []
        self.reasons = []
        self.calls = []

    def __call__(self, stage, done, total):
        self.calls.append((stage, done, total))

    def remaining(self, seconds):
        self.said.append(seconds)

    def slowed(self, reason):
        self.reasons.append(reason)


class Run:
    """A walk-forward of growing folds on a clock, one fit after the other or side by side."""

    def __init__(self, workers, judging=60.0, slower_from=None):
        self.at, self.shown = 0.0, Shown()
        self.estimate = RunEstimate(self.shown, lambda: self.at, lambda: None)
        self.estimate.workers = workers
        keys = [(fold, kind) for fold in range(1, FOLDS + 1) for kind in HERE]
        self.estimate.plan({key: Part(key[1], 10.0 * key[0], EXPECTED[key[1]]) for key in keys})
        self.estimate.plan({"judging": Part("judging", 20.0, 1.0, alone=True)})
        self.points = []
        free = [0.0] * workers
        events = []
        for fold, kind in keys:
            place = free.index(min(free))
            begin, took = free[place], 10.0 * fold * HERE[kind] * (2.0 if slower_from and fold >= slower_from else 1.0)
            free[place] = begin + took
            events += [(begin + took * step / 10, step, (fold, kind)) for step in range(11)]
        for at, step, key in sorted(events, key=lambda event: (event[0], -event[1])):  # ends come first
            self.at = at
            if step == 0:
                self.estimate.begin(key)
            elif step == 10:
                self.estimate.end(key)
            self.report(key, step / 10)
        self.at = max(free)
        self.estimate.begin("judging")
        for step in range(10):
            self.report("judging", step / 10)
            self.at += judging / 10
        self.estimate.end("judging")
        self.report("judging", 1.0)

    def report(self, key, share):
        self.estimate.advance(key, share)
        self.estimate(str(key), int(10 * share), 10)
        self.points.append((self.at, self.shown.said[-1]))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_after_a_tenth_of_the_run_the_time_left_is_right_within_a_factor(workers):
    run = Run(workers)
    judged = [(at, said) for at, said in run.points if 0.1 * run.at <= at <= 0.97 * run.at]
    assert len(judged) > 50
    for at, said in judged:
        assert (run.at - at) / 1.5 < said < (run.at - at) * 1.5, (at, said, run.at)
    assert run.points[-1][1] == 0.0


def test_counting_stages_would_miss_it():
    """The test above can fail: by the number of stages, the last half is far off."""
    run = Run(1)
    ends = sorted(at for at, _ in run.points)
    stages = 3 * FOLDS + 1
    third = ends[11 * 5]  # after 5 of 16 stages
    assert third / 5 * (stages - 5) < (run.at - third) / 1.5


def test_before_anything_ran_it_is_what_was_measured_elsewhere():
    estimate = RunEstimate(Shown(), lambda: 0.0, lambda: None)
    estimate.plan(
        {"a": Part("trees", 10.0, 2.0), "b": Part("network", 5.0, 4.0), "c": Part("rest", 1.0, 7.0, alone=True)}
    )
    assert estimate.remaining() == 47.0
    estimate.workers = 2
    assert estimate.remaining() == 27.0
    estimate.workers = 8  # the longest part is a lower limit
    assert estimate.remaining() == 27.0


def test_a_kind_that_has_not_run_is_as_much_slower_as_the_others_were():
    at = itertools.count(0.0, 30.0)
    estimate = RunEstimate(Shown(), lambda: next(at), lambda: None)
    estimate.plan({"a": Part("trees", 10.0, 1.0), "b": Part("network", 5.0, 4.0)})
    estimate.begin("a")
    estimate.end("a")  # 30 s, not 10
    assert estimate.remaining() == pytest.approx(60.0)


def test_a_slow_beginning_of_a_part_does_not_mislead():
    """Of 100 s a part takes 20 for its first tenth; others of its kind have not run."""
    at = 0.0
    estimate = RunEstimate(Shown(), lambda: at, lambda: None)
    estimate.plan({number: Part("trees", 100.0, 1.0) for number in range(3)})
    estimate.begin(0)
    for share in (0.1, 0.2, 0.4, 0.6, 0.8):
        at = 20.0 + (share - 0.1) / 0.9 * 80.0
        estimate.advance(0, share)
        assert (300.0 - at) / 1.3 < estimate.remaining() < 1.3 * (300.0 - at)
    # By its share alone it would be 560 s at first.


def test_a_part_that_has_begun_tells_more_the_more_of_it_is_done():
    """Two parts of a kind side by side, of which the second has only begun."""
    at = 0.0
    estimate = RunEstimate(Shown(), lambda: at, lambda: None)
    estimate.workers = 2
    estimate.plan({number: Part("network", 10.0, 1.0) for number in range(2)})
    estimate.begin(0)
    at = 60.0
    estimate.begin(1)
    at = 90.0
    estimate.advance(0, 0.9)
    estimate.advance(1, 0.3)
    assert estimate.remaining() == pytest.approx(70.0, rel=0.1)  # of 100 s each


def test_reports_are_passed_on_and_a_slow_machine_is_named():
    shown = Shown()
    reasons = iter([None, "others use 1.6 of 2 cores"])
    estimate = RunEstimate(shown, lambda: 0.0, lambda: next(reasons, None))
    for done in range(3):
        estimate("stage", done, 3)
    assert shown.calls == [("stage", 0, 3), ("stage", 1, 3), ("stage", 2, 3)]
    assert shown.reasons == ["others use 1.6 of 2 cores"]
    assert shown.said == []  # nothing is planned yet


def test_a_callback_that_shows_no_time_is_only_passed_on_to():
    calls = []
    estimate = RunEstimate(lambda *stage: calls.append(stage), lambda: 0.0)
    estimate.plan({"a": Part("trees", 1.0, 1.0)})
    estimate("stage", 1, 2)
    assert calls == [("stage", 1, 2)]
    assert RunEstimate.of(estimate) is estimate
