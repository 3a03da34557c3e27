"""A method's combiner, with its strength chosen out of fold, and what it said out of fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.settings import StackSettings
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.ensemble.stack.combiner import Combiner, Linear
from quorate.ensemble.stack.linear import blending, lasso, ridge, voting

# (n, m) predictions and (n,) returns to a combiner.
Fitting = Callable[[FloatArray, FloatArray], Combiner]


@dataclass(frozen=True, slots=True, eq=False)
class TuningTrial:
    """One strength of a method, judged on rows later than those its combiner was fitted on.

    Attributes:
        strength: None for a method without one.
        mse: mean squared error of its predictions, a squared fraction.
        predicted: (n,) NaN in the first fold, before which there is nothing to fit a combiner on.
    """

    strength: float | None
    mse: float
    predicted: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class TunedCombiner:
    """The best strength, and all that were tried."""

    best: TuningTrial
    trials: tuple[TuningTrial, ...]
    fit: Fitting


def choose(
    predicted: FloatArray,
    y: FloatArray,
    fold: IntArray,
    apart: Callable[[BoolArray, BoolArray], BoolArray],
    settings: StackSettings,
    seed: int,
) -> TunedCombiner:
    """Fit every strength on the folds before each fold, let it predict that one, and take the least squared error.

    Args:
        predicted: (n, m) members' predictions out of fold.
        y: (n,) what the return was.
        fold: (n,) which fold each row is of; a larger number is later.
        apart: of the rows to fit on and those to predict, the former whose labels end well before the latter.
        settings: the method and its strengths.
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
    trials, fits = [], fittings(settings, seed)
    for strength, fit in fits:
        said = np.full(len(y), np.nan)
        for number in numbers[1:]:
            held = np.asarray(fold == number)
            learned = apart(np.asarray(fold < number), held)
            if not learned.any():
                raise ModelError("choose the stack's combiner", found="no row before a fold", expected="some")
            said[held] = fit(predicted[learned], y[learned]).combine(predicted[held])
        known = np.isfinite(said)
        trials.append(TuningTrial(strength, float(((y[known] - said[known]) ** 2).mean()), said))
    # At a tie the first, which is the weakest: `fittings` lists them from weak to strong.
    best = min(range(len(trials)), key=lambda place: trials[place].mse)
    return TunedCombiner(trials[best], tuple(trials), fits[best][1])


def fittings(settings: StackSettings, seed: int) -> Sequence[tuple[float | None, Fitting]]:
    """Every strength of the method, weak to strong, and how to fit it."""

    def linear(fit: Callable[[FloatArray, FloatArray], FloatArray]) -> Fitting:
        return lambda predicted, y: Linear(fit(predicted, y))

    def held_back(fit: Callable[[FloatArray, FloatArray, float], FloatArray], strength: float) -> Fitting:
        return linear(lambda predicted, y: fit(predicted, y, strength))

    match settings.method:
        case "ridge":
            return [(strength, held_back(ridge, strength)) for strength in sorted(settings.ridge)]
        case "lasso":
            return [(strength, held_back(lasso, strength)) for strength in sorted(settings.lasso)]
        case "blending":
            return [(None, linear(blending))]
        case "voting":
            return [(None, linear(lambda predicted, _: voting(predicted.shape[1])))]
        case "forest":
            from quorate.ensemble.stack.forest import fit_forest

            return [(None, lambda predicted, y: fit_forest(predicted, y, settings, seed))]
