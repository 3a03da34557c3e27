"""Tuning of a stack's combiner: its penalty is chosen by predictions out of fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.settings import StackSettings
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.ensemble.stack.combiner import Combiner, Linear
from quorate.ensemble.stack.linear import blending, equal_weights, lasso, ridge

# Of (n,) rows to fit on and (n,) rows to predict, the former whose labels end before the latter.
Purge = Callable[[BoolArray, BoolArray], BoolArray]

# Fits a combiner on (n, m) predictions and (n,) returns.
Fit = Callable[[FloatArray, FloatArray], Combiner]


@dataclass(frozen=True, slots=True, eq=False)
class TuningTrial:
    """One penalty of a method, evaluated on rows later than those of the fit.

    Attributes:
        strength: penalty; None for a method without one.
        mse: mean squared error of the predictions, a squared fraction.
        predicted: (n,) predictions; NaN in the first fold, which no rows to fit on precede.
    """

    strength: float | None
    mse: float
    predicted: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class TunedCombiner:
    """The best penalty, all that were tried, and how to fit the combiner with the best."""

    best: TuningTrial
    trials: tuple[TuningTrial, ...]
    fit: Fit


def tune(
    predicted: FloatArray,
    y: FloatArray,
    fold: IntArray,
    purge: Purge,
    settings: StackSettings,
    seed: int,
) -> TunedCombiner:
    """Choose the penalty of least squared error by walk-forward validation over the folds.

    For each fold but the first, the combiner is fitted on all earlier folds, purged, and predicts the fold.

    Args:
        predicted: (n, m) members' predictions out of fold.
        y: (n,) actual returns.
        fold: (n,) number of the fold of each row; larger is later.
        purge: of rows to fit on and rows to predict, the former whose labels end before the latter.
        settings: the method and its penalties.
        seed: of a forest.

    Raises:
        ModelError: fewer than two folds with rows.
    """
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise ModelError(
            "choose the stack's combiner",
            found=f"{len(y)} predictions out of fold, in {len(numbers)} fold",
            expected="at least 2 folds that every member has predicted",
            remedy="Choose a longer span.",
        )
    trials, fits = [], fits_of_method(settings, seed)
    for strength, fit in fits:
        trial = np.full(len(y), np.nan)
        for number in numbers[1:]:
            held_out = np.asarray(fold == number)
            fit_rows = purge(np.asarray(fold < number), held_out)
            if not fit_rows.any():
                raise ModelError("choose the stack's combiner", found="no row before a fold", expected="at least one")
            trial[held_out] = fit(predicted[fit_rows], y[fit_rows]).combine(predicted[held_out])
        known = np.isfinite(trial)
        trials.append(TuningTrial(strength, float(((y[known] - trial[known]) ** 2).mean()), trial))
    # Of equal errors the first, the weakest: `fits_of_method` lists penalties in increasing order.
    best = min(range(len(trials)), key=lambda place: trials[place].mse)
    return TunedCombiner(trials[best], tuple(trials), fits[best][1])


def fits_of_method(settings: StackSettings, seed: int) -> Sequence[tuple[float | None, Fit]]:
    """Penalties of the method in increasing order, each with how to fit its combiner."""

    def linear(fit: Callable[[FloatArray, FloatArray], FloatArray]) -> Fit:
        return lambda predicted, y: Linear(fit(predicted, y))

    def penalised(fit: Callable[[FloatArray, FloatArray, float], FloatArray], strength: float) -> Fit:
        return linear(lambda predicted, y: fit(predicted, y, strength))

    match settings.method:
        case "ridge":
            return [(strength, penalised(ridge, strength)) for strength in sorted(settings.ridge)]
        case "lasso":
            return [(strength, penalised(lasso, strength)) for strength in sorted(settings.lasso)]
        case "blending":
            return [(None, linear(blending))]
        case "voting":
            return [(None, linear(lambda predicted, _: equal_weights(predicted.shape[1])))]
        case "forest":
            from quorate.ensemble.stack.forest import fit_forest

            return [(None, lambda predicted, y: fit_forest(predicted, y, settings, seed))]
