"""Expected cost of the fits of a walk-forward: rows times passes times a rate of each model."""

from __future__ import annotations

from typing import NamedTuple

from quorate.core.progress import Part
from quorate.core.settings import NetworkSettings, Settings

# Seconds per row and pass of each model with its default settings, on one core of an EPYC 9004; they hold until a fit
# of the model has ended in this run.
_RATES = {
    "xgboost": 4e-5,
    "lightgbm": 4e-5,
    "logistic": 1e-4,
    "log_har": 3e-5,
    "nhits": 1e-4,
    "patchtst": 1e-4,
    "lstm": 1e-4,
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
    if isinstance(own, NetworkSettings):
        passes = own.warm_epochs * own.warm_share if warm else own.epochs * own.share
    return FitSize(again, rows * passes + _FIXED, _SCORED * (scored + examined))
