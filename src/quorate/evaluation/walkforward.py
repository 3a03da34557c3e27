"""Walk-forward: train on the past, score the bars that follow, move on.

No bar is scored by a model that was fitted on it, or on a label that reads it. All test spans together are one
continuous stretch on which nothing was known beforehand.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from quorate.core.errors import EvaluationError, ModelError, QuorateError
from quorate.core.settings import Settings, SplitSettings, VoteSettings
from quorate.core.types import CLASS_NAMES, DecisionFrame, FloatArray, IntArray
from quorate.ensemble.vote_frame import decide_frame
from quorate.evaluation.baselines import class_prior
from quorate.evaluation.metrics import log_loss, voted
from quorate.evaluation.rows import Rows
from quorate.models import Later, Model
from quorate.models.base import Progress
from quorate.models.registry import build, require_known
from quorate.targets import time_split, walk_forward

# (what is going on, steps done, steps in all)
Tell = Callable[[str, int, int], None]
# A new, unfitted member of that name.
Builder = Callable[[str], Model]
# A step, a name and its model, fitted on that step's training rows and about to be dropped.
Watch = Callable[["Step", str, Model], None]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of the walk.

    Attributes:
        number: from 0.
        train: (m,) int64 rows to learn from: every label ends, and the embargo passes, before `start`.
        test: (k,) int64 rows to score: every bar of every symbol in [start, end).
        start, end: of the test span, ms.
        purged: rows before `start` that are left out because their label reaches into the test span.
        embargoed: and because it ends within the embargo before it.
    """

    number: int
    train: IntArray
    test: IntArray
    start: int
    end: int
    purged: int
    embargoed: int


@dataclass(frozen=True, slots=True)
class Fit:
    """How one member did in one step; without `failure` it voted."""

    seconds: float
    failure: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The scores of a whole walk.

    Attributes:
        rows: what was learned from and scored.
        members: names, in the order of the vote.
        steps: in order of time.
        scores: model -> (n, 3) float64 for every row; NaN before the first test span and where it abstained. It holds
            the members and the models beside them.
        prior: (n, 3) class shares of the training rows of the step that tests the row; NaN before the first.
        fits: by step, model -> how it did.
    """

    rows: Rows
    members: tuple[str, ...]
    steps: tuple[Step, ...]
    scores: Mapping[str, FloatArray]
    prior: FloatArray
    fits: tuple[Mapping[str, Fit], ...]

    @property
    def start(self) -> int:
        """First bar that is tested, ms."""
        return self.steps[0].start

    @property
    def tested(self) -> dict[str, slice]:
        """Symbol -> its tested rows, for those that have any."""
        spans = {}
        for symbol, span in self.rows.spans.items():
            first = span.start + int(np.searchsorted(self.rows.time[span], self.start))
            if first < span.stop:
                spans[symbol] = slice(first, span.stop)
        return spans

    def frames(self, policy: VoteSettings) -> dict[str, DecisionFrame]:
        """The vote of the members on every tested bar."""
        frames = {}
        for symbol, own in self.tested.items():
            ballot = {name: self.scores[name][own] for name in self.members}
            volatility = self.rows.volatility[own]
            frames[symbol] = DecisionFrame(
                symbol,
                self.rows.timeframe,
                self.rows.time[own],
                *decide_frame(ballot, volatility, policy=policy, members=len(self.members)),
                volatility,
                ballot,
                synthetic=symbol in self.rows.synthetic,
            )
        return frames

    def best_member(self) -> tuple[FloatArray, tuple[str, ...]]:
        """The scores of whichever member did best so far, and its name in each step.

        It is the one with the least log-loss over the test rows of the steps before whose label has ended by then;
        never over those of the step itself. In the first step nothing is known, so the first member speaks. A member
        that could not be fitted in a step cannot be chosen for it.

        Returns:
            (n, 3) scores for every row, and a name for each step ("" where no member could be fitted).
        """
        chosen = []
        scores = np.full_like(self.prior, np.nan)
        past = {name: np.empty(0, np.int64) for name in self.members}
        for step, fits in zip(self.steps, self.fits, strict=True):
            able = [name for name in self.members if fits[name].failure is None]
            losses = {}
            for name in able:
                known = past[name][self.rows.span_end[past[name]] < step.start]
                losses[name] = log_loss(self.rows.y[known], self.scores[name][known])
            # A member that never spoke before is known for nothing: the others come first, then the order.
            best = min(able, key=lambda name: math.inf if math.isnan(losses[name]) else losses[name], default="")
            chosen.append(best)
            if best:
                scores[step.test] = self.scores[best][step.test]
            for name in able:
                past[name] = np.concatenate([past[name], self.judged(step, name)])
        return scores, tuple(chosen)

    def judged(self, step: Step, name: str) -> IntArray:
        """Test rows of a step that have a label and this model's vote."""
        rows = step.test
        return rows[self.rows.known[rows] & voted(self.scores[name][rows])]


def steps(
    rows: Rows, folds: int, *, embargo_bars: int, anchored: bool = True, first: int | None = None
) -> tuple[Step, ...]:
    """Cut the rows into a first training span and as many test spans of the same length as there are folds.

    The span from the first to the last row that can be learned from is cut into `folds` + 1 equal parts, whole bars
    each (the first takes what is left over). Bars after the last such row belong to the last test span.
    Where the first test span has a set beginning, what follows is cut into `folds` parts, the last of them shorter.

    Args:
        rows: of all symbols.
        folds: test spans.
        embargo_bars: bars kept free between the end of the last training label and the test span.
        anchored: training begins with the first row and grows; else it is always as long as the first.
        first: where the first test span begins, ms; None for the end of the first part.

    Raises:
        EvaluationError: too few bars, or a step without a row to train on.
    """
    learned = np.flatnonzero(rows.trainable)
    if not len(learned):
        raise EvaluationError(
            "walk forward",
            found="no row with every feature and a label",
            expected="a longer history",
            remedy="Choose a longer span, or download one.",
        )
    time, span_end = rows.time[learned], rows.span_end[learned]
    begin = int(time.min())
    bars = (int(time.max()) - begin) // rows.bar_ms + 1
    if first is None:
        test_ms = bars // (folds + 1) * rows.bar_ms
        train_ms = bars * rows.bar_ms - folds * test_ms
    else:
        train_ms = first - begin
        test_ms = -((train_ms - bars * rows.bar_ms) // (folds * rows.bar_ms)) * rows.bar_ms
    if min(test_ms, train_ms) <= 0:
        raise EvaluationError(
            "walk forward",
            found=f"{bars} bars that can be learned from, {max(0, train_ms) // rows.bar_ms} of them before the test",
            expected=f"at least one to train on and one for each of {folds} folds",
            remedy="Choose a longer span or fewer folds.",
        )
    made = []
    for fold in walk_forward(time, span_end, train_ms=train_ms, test_ms=test_ms, anchored=anchored):
        (number,) = fold.groups
        start = begin + train_ms + number * test_ms
        last = start + test_ms > int(time.max())
        end = int(rows.time.max()) + rows.bar_ms if last else start + test_ms
        clear = span_end[fold.train] < start - embargo_bars * rows.bar_ms
        before = (time < start) & (anchored | (time >= start - train_ms))
        if not clear.any():
            raise EvaluationError(
                "walk forward",
                found=f"no label that ends {embargo_bars} bars before the test span of fold {number + 1}",
                expected="rows to train on",
                remedy="Choose a longer span or fewer folds.",
            )
        made.append(
            Step(
                number=number,
                train=learned[fold.train[clear]],
                test=np.flatnonzero((rows.time >= start) & (rows.time < end)),
                start=start,
                end=end,
                purged=int(before.sum()) - len(fold.train),
                embargoed=int((~clear).sum()),
            )
        )
    return tuple(made)


def walk(
    rows: Rows,
    members: Sequence[str],
    settings: Settings,
    *,
    folds: int | None = None,
    anchored: bool = True,
    first: int | None = None,
    beside: Sequence[str] = (),
    tell: Tell = lambda *_: None,
    builder: Builder | None = None,
    watch: Watch = lambda *_: None,
) -> Walk:
    """Train every model anew in every step, and score the bars that follow.

    A model that fails in a step abstains there, and the walk says why.

    Args:
        rows: features and labels of every bar.
        members: registered models that vote, in order.
        settings: of models, split and training.
        folds: test spans; None for the setting.
        anchored: training begins with the first row and grows; else it rolls along.
        first: where the first test span begins, ms; None for the end of the first of `folds` + 1 equal parts.
        beside: registered models that are trained on the same rows and do not vote: baselines.
        tell: progress.
        builder: makes the models; None for the registry.
        watch: is shown every fitted model.

    Raises:
        ModelError: an unknown or doubled name, or no member could be fitted in any step.
        EvaluationError: too few bars for the folds.
    """
    names = (*members, *(name for name in beside if name not in members))
    if builder is None:
        require_members(names)
    embargo = settings.split.embargo_bars
    if embargo < 0:
        embargo = settings.target.horizon
    made = steps(
        rows,
        settings.evaluation.folds if folds is None else folds,
        embargo_bars=embargo,
        anchored=anchored,
        first=first,
    )
    scores = {name: np.full((len(rows), len(CLASS_NAMES)), np.nan) for name in names}
    prior = np.full((len(rows), len(CLASS_NAMES)), np.nan)
    fits = []
    for place, step in enumerate(made, 1):
        prior[step.test] = class_prior(rows.y[step.train])
        done = {}
        for number, name in enumerate(names, 1):
            stage = f"fold {place}/{len(made)}, {name} ({number}/{len(names)})"
            began = time.perf_counter()
            try:
                model = _registered(name, settings) if builder is None else builder(name)
                _learn(model, rows, step, settings.split, partial(tell, stage))
                scored = step.test[rows.inputs.whole(model.window)[step.test]]
                if len(scored):
                    scores[name][scored] = model.predict_proba(rows.inputs.at(scored, model.window))
            except QuorateError as error:
                done[name] = Fit(time.perf_counter() - began, str(error))
                tell(f"{stage} abstains", 1, 1)
                continue
            done[name] = Fit(time.perf_counter() - began)
            watch(step, name, model)
        fits.append(done)
    failures = [fit[name].failure for fit in fits for name in members]
    if all(failures):
        raise ModelError("walk forward", found=str(failures[0]), expected="a member that can be fitted")
    return Walk(rows, tuple(members), made, scores, prior, tuple(fits))


def _learn(model: Model, rows: Rows, step: Step, split: SplitSettings, progress: Progress) -> None:
    """Fit a model on a step's training rows; one that stops early is told when by the later part of them."""
    whole = rows.inputs.whole(model.window)
    train, later = step.train[whole[step.train]], None
    if model.stops_early and len(train):
        # The share of validation among the rows that are not test, as where a bundle is trained.
        share = split.validation / (split.train + split.validation)
        parts = time_split(rows.time[train], rows.span_end[train], 1 - share, share)
        if len(parts.validation):
            unseen = train[parts.validation]
            later = Later(rows.inputs.at(unseen, model.window), rows.y[unseen])
        train = train[parts.train]
    model.fit(rows.inputs.at(train, model.window), rows.y[train], later=later, progress=progress)


def require_members(names: Sequence[str]) -> None:
    """Refuse names before anything is read or trained.

    Raises:
        ModelError: none, one of them twice, or one that no one registered.
    """
    for name in names:
        require_known(name)
    if not names or len(set(names)) < len(names):
        raise ModelError("walk forward", found=f"models {', '.join(names) or 'none'}", expected="each once")


def _registered(name: str, settings: Settings) -> Model:
    return build(name, "class", settings.models, seed=settings.train.seed, threads=settings.train.threads)
