"""Expected time of fits, in a walk-forward and in a training: rows times passes times a rate of each model."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from quorate.core.progress import Part, Progress, RunEstimate
from quorate.core.settings import NetworkSettings, PretrainedSettings, Settings
from quorate.ensemble.training.out_of_fold import fits_again
from quorate.ensemble.training.training_data import TrainingData

# Seconds per row and pass of each model with its default settings, on one core of an EPYC 9004; they hold until a fit
# of the model has ended in this run.
_RATES = {
    "xgboost": 4e-5,
    "lightgbm": 4e-5,
    "catboost": 5e-5,
    "extra_trees": 3e-5,
    "logistic": 1e-4,
    "qda": 2e-6,
    "tabm": 4e-5,
    "tabnet": 4e-5,
    "log_har": 3e-5,
    "nhits": 4e-5,
    "patchtst": 7e-5,
    "lstm": 3e-5,
    "dlinear": 2e-5,
    "gru": 4e-5,
    "tcn": 4e-5,
    "inception": 8e-5,
    "minirocket": 7e-5,
    "tide": 3e-5,
    "tft": 2e-4,
    "fracast": 4e-2,
}
_OTHER = 5e-5

# What each fit costs beside its rows, such as the making of its trees, in rows.
_FIXED = 10_000
# What it costs to score a row, as a share of fitting on it.
_SCORED = 0.3


class FitSize(NamedTuple):
    """Sizes of what is done with a model in a fold, in rows that it is fitted on once.

    Attributes:
        again: of the fits out of fold.
        fitted: of the fit.
        examined: of scoring rows, and of the examination.
    """

    again: float
    fitted: float
    examined: float

    @property
    def whole(self) -> float:
        """The sum."""
        return sum(self)

    def part(self, name: str) -> Part:
        """The part of the run."""
        return Part(name, self.whole, _RATES.get(name, _OTHER))


def fit_size(
    name: str,
    settings: Settings,
    *,
    rows: int,
    before_choice: int,
    scored: int,
    examined: int,
    refitted: bool,
    warm: bool,
) -> FitSize:
    """The size of a model in a fold.

    Args:
        name: of the model.
        settings: of policy and models.
        rows: number of training rows.
        before_choice: number of rows on which members are fitted again.
        scored: number of rows to score.
        examined: number of rows that its examination scores.
        refitted: whether it is fitted again out of fold.
        warm: whether it begins at the weights of an earlier model.
    """
    # Of n stretches, all but the first are scored by a fit on those before: (1 + 2 + ... + n - 1) / n of the rows.
    again = (settings.policy.folds - 1) * (before_choice / 2 + _FIXED) if refitted else 0.0
    own, passes = getattr(settings.models, name, None), 1.0
    if isinstance(own, PretrainedSettings):  # every forecast costs the same, and nothing else does
        return FitSize(0.0, min(rows, own.rows), scored + examined)
    if isinstance(own, NetworkSettings):
        passes = own.warm_epochs * own.warm_share if warm else own.epochs * own.share
    return FitSize(again, rows * passes + _FIXED, _SCORED * (scored + examined))


# Seconds per row of what follows the fits of a vote: scores of later rows, maps, policies.
_AFTER = 5e-5


def follow_training(progress: Progress, data: TrainingData) -> Progress:
    """The callback of a training, which also tells how long the training still takes.

    Args:
        progress: is told by `RunEstimate`.
        data: of the training.
    """
    policy, estimate = data.settings.policy, RunEstimate.of(progress)
    again: dict[str, Part] = {}
    fits: dict[str, Part] = {}
    for name, make in data.makers.items():
        refitted = data.classes and fits_again(policy, lambda make=make: make().slow_fit)  # type: ignore[misc]
        size = fit_size(
            name,
            data.settings,
            rows=len(data.split.train),
            before_choice=len(data.before_choice),
            scored=0,
            examined=0,
            refitted=refitted,
            warm=False,
        )
        if refitted:
            again[f"{name} out of fold"] = size._replace(fitted=0.0).part(name)
        fits[name] = size._replace(again=0.0).part(name)
    after = {"after": Part("after", max(1, len(data.dataset)), _AFTER)} if data.classes else {}
    return _InOrder(estimate, [*again.items(), *fits.items(), *after.items()], len(data.before_choice))


class _InOrder:
    """Parts that run one after another, each known by the stage that it reports.

    Args:
        estimate: of the run.
        parts: stage, without a number in brackets, and part, in order.
        rows_again: number of rows on which members are fitted again.
    """

    def __init__(self, estimate: RunEstimate, parts: Sequence[tuple[str, Part]], rows_again: int) -> None:
        self._estimate = estimate
        self._rows_again = rows_again
        # Keys of their own, since the stages of several trainings have the same names.
        keys: list[tuple[str, Hashable]] = [(stage, object()) for stage, _ in parts]
        estimate.plan({key: part for (_, key), (_, part) in zip(keys, parts, strict=True)})
        self._waiting = keys
        self._begin()

    def __call__(self, stage: str, done: int, total: int) -> None:
        known = stage.partition(" (")[0]
        if any(waiting == known for waiting, _ in self._waiting):
            while self._waiting[0][0] != known:  # it failed, or an earlier run had finished it
                self._estimate.skip(self._waiting.pop(0)[1])
                self._begin()
            key = self._waiting[0][1]
            again = known.endswith("out of fold")
            self._estimate.advance(
                key, self._fitted(done, total) / self._fitted(total, total) if again else done / total
            )
            if done == total:
                self._estimate.end(key)
                self._waiting.pop(0)
                self._begin()
        self._estimate(stage, done, total)

    def _fitted(self, done: int, total: int) -> float:
        """Size of the first fits out of fold, which are on 1, 2, ... of the stretches."""
        return done * (done + 1) / 2 * self._rows_again / (total + 1) + done * _FIXED

    def _begin(self) -> None:
        if self._waiting:
            self._estimate.begin(self._waiting[0][1])
