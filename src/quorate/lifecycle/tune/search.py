"""The search: trials are drawn, scored test span by test span, ended early or completed, and recorded.

This process alone draws trials and writes them down; others only fit and score test spans. A trial's draw depends on
the seed, its place and the trials that ended before, so that a study with one worker makes the same trials whether it
was interrupted or not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.machine import run_next_tasks
from quorate.core.progress import Progress
from quorate.lifecycle.tune.score import SpanScore, SpanScorer, TrialSpan
from quorate.lifecycle.tune.space import Choices, Range, distributions
from quorate.lifecycle.tune.spans import Span, StudySpans
from quorate.lifecycle.tune.trial_state import (
    FAILURE,
    RESULT,
    SPENT,
    TrialEnd,
    ended,
    interrupted,
    repeat,
    repeat_interrupted,
    repeated,
)

if TYPE_CHECKING:
    import optuna

    from quorate.core.settings import Settings

# Numbers of the blocks of one test span stay below this.
_BLOCKS = 100_000
# A training for the later bars takes longer than the longest of the search.
_LONGER = 1.5

#: Called with the choices of a trial, its scores and how it ended, before it is marked as ended.
Record = Callable[[Choices, Sequence[SpanScore], TrialEnd], None]


@dataclass
class _Active:
    """A trial at work."""

    trial: optuna.Trial
    scores: list[SpanScore] = field(default_factory=list)
    busy: bool = False


class TrialSearch:
    """The search of a study.

    Args:
        study: the trials so far.
        scorer: of test spans.
        spans: of the study.
        space: what is searched.
        first: choices of the first trial: the settings as they are.
        settings: of the search.
        record: takes every trial that was complete or ended early.
        minutes: budget over all runs of the study.
        trials: most trials in all; None for no limit.
        progress: callback.
        began: of this run, by the clock; None for now.
        clock: returns seconds.
    """

    def __init__(
        self,
        study: optuna.Study,
        scorer: SpanScorer,
        spans: StudySpans,
        space: Mapping[str, Range | tuple[Any, ...]],
        first: Choices,
        settings: Settings,
        record: Record,
        *,
        minutes: float,
        trials: int | None = None,
        progress: Progress,
        began: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._study, self._scorer, self._spans, self._settings, self._record = study, scorer, spans, settings, record
        self._space, self._first = distributions(space), dict(first)
        self._budget_s, self._most, self._progress, self._clock = 60 * minutes, trials, progress, clock
        self._began = clock() if began is None else began
        self._before = float(study.user_attrs.get(SPENT, 0.0))
        self._active: dict[int, _Active] = {}

    def run(self, workers: int) -> int:
        """Search until the budget or the number of trials is used up; how many interrupted trials were repeated."""
        if not self._study.get_trials(deepcopy=False):
            self._study.enqueue_trial(self._first)
        repeated = repeat_interrupted(self._study)
        engine = replace(self._settings.engine, folder="")  # the study keeps what is finished
        for key, score in run_next_tasks(
            self._scorer, self._next, workers, report=lambda *_: self._show(), engine=engine
        ):
            self._take(key, score)
        self._spend()
        self._show(end=True)
        return repeated

    @property
    def spent_s(self) -> float:
        """Seconds used of the budget, over all runs."""
        return self._before + self._clock() - self._began

    def _next(self) -> tuple[TrialSpan, tuple[Choices, Span]] | None:
        """The next test span to score: of a trial at work, else of a new one if there is time for it."""
        active = next((each for each in self._active.values() if not each.busy), None)
        if active is None:
            if not self._may_begin():
                return None
            active = self._ask()
        active.busy = True
        place = len(active.scores)
        return TrialSpan(active.trial.number, place), (active.trial.params, self._spans.folds[place])

    def _may_begin(self) -> bool:
        """Whether another trial may begin: it has to end in time, and its winner has to be judged.

        The settings as they are come first, whatever time there is: nothing can be said without them.
        """
        done = ended(self._study)
        if self._most is not None and len(done) + len(self._active) >= self._most:
            return False
        complete = [each.seconds for each in done if each.end == "complete"]
        if not complete:
            return not self._active or self.spent_s < self._budget_s
        expected = statistics.median(sum(seconds) for seconds in complete)
        judged = 2 * _LONGER * statistics.median(seconds[-1] for seconds in complete)
        return self.spent_s + expected + judged <= self._budget_s

    def _ask(self) -> _Active:
        from optuna.samplers import TPESampler

        trials, again = self._study.get_trials(deepcopy=False), repeated(self._study)
        place = sum(trial.state.name != "WAITING" and trial.number not in again for trial in trials)
        self._study.sampler = TPESampler(
            seed=self._settings.train.seed + place, n_startup_trials=self._settings.tune.startup
        )
        active = _Active(self._study.ask(self._space))
        self._active[active.trial.number] = active
        return active

    def _take(self, key: TrialSpan, score: SpanScore) -> None:
        """Take the score of a test span: report it by blocks, and end the trial or let it go on."""
        active = self._active[key.trial]
        active.busy = False
        first = active.trial.params == self._first
        if score.failure and first:
            raise ModelError("search for settings", found=score.failure, expected="members that can be fitted")
        if score.failure:
            active.trial.set_user_attr(FAILURE, score.failure)
            self._end(active, "failed")
            return
        active.scores.append(score)
        self._report(active, key.place, score)
        if len(active.scores) == len(self._spans.folds):
            self._end(active, "complete")
        elif not first and active.trial.should_prune():
            self._end(active, "pruned")
        elif not first and self.spent_s >= self._budget_s:
            self._stop(active)
        self._spend()
        self._show()

    def _report(self, active: _Active, place: int, score: SpanScore) -> None:
        for number, saved in enumerate(score.blocks(self._spans.folds[place][0], self._settings.tune.block_days)):
            if np.isfinite(saved):
                active.trial.report(float(saved), place * _BLOCKS + number)

    def _end(self, active: _Active, end: TrialEnd) -> None:
        """Record a trial, then mark it as ended: killed in between, it is done again and recorded as the same trial."""
        from optuna.trial import TrialState

        del self._active[active.trial.number]
        if end == "failed":
            self._study.tell(active.trial, state=TrialState.FAIL)
            return
        skill = skill_of(active.scores)
        self._record(active.trial.params, active.scores, end)
        seconds = [round(score.seconds, 3) for score in active.scores]
        active.trial.set_user_attr(RESULT, {"skill": skill, "spans": len(active.scores), "seconds": seconds})
        if end == "complete":
            self._study.tell(active.trial, skill)
        else:
            self._study.tell(active.trial, state=TrialState.PRUNED)

    def _stop(self, active: _Active) -> None:
        """Stop a trial for which there is no time left; a run with a larger budget repeats it."""
        from optuna.trial import TrialState

        del self._active[active.trial.number]
        (frozen,) = [trial for trial in interrupted(self._study) if trial.number == active.trial.number]
        repeat(self._study, frozen)
        self._study.tell(active.trial, state=TrialState.FAIL)

    def _spend(self) -> None:
        self._study.set_user_attr(SPENT, round(self.spent_s, 1))

    def _show(self, *, end: bool = False) -> None:
        total = max(1, round(self._budget_s))
        self._progress("searching, s", total if end else min(round(self.spent_s), total - 1), total)


def skill_of(scores: Sequence[SpanScore]) -> float:
    """Share of the loss of the class shares that is saved over all rows of some test spans."""
    loss, reference = (sum(float(getattr(each, name).sum()) for each in scores) for name in ("loss", "reference"))
    return 1 - loss / reference
