"""Does anything know the future? A check for any feature set, strategy or model, with a verdict that names the culprit.

Four questions, each of which catches what the others cannot:

- *truncation*: is the newest row another once the candles after it are taken away? Then it read them.
- *poison*: does a row change when the candles after it are made absurd? The same, for code that cannot run on less.
- *shuffled labels*: does a model tell classes apart on rows it is judged on, though its labels say nothing? Then it has
  seen those rows' labels: it was trained on the period it is tested on.
- *too good*: does one column, or one model, tell rises from falls better than anything in a real market does? That is
  how a target among the features shows, wherever it came from.

    >>> import numpy as np
    >>> from quorate.evaluation.lookahead.checks import check_features
    >>> from quorate.market import SyntheticMarket
    >>> market = SyntheticMarket(seed=1, symbols=1, bars=300)
    >>> def features(candles):
    ...     change = np.diff(candles.close, prepend=candles.close[0]) / candles.close
    ...     scaled = (candles.close - candles.close.mean()) / candles.close.std()
    ...     return np.column_stack([change, scaled])
    >>> verdict = check_features(features, market.panel(), names=("change", "scaled"))
    >>> verdict.clean, verdict.names
    (False, ('scaled',))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from quorate.core.clock import format_ms
from quorate.core.errors import EvaluationError
from quorate.core.settings import EvaluationSettings
from quorate.core.types import ActionArray, Candles, DecisionFrame, FloatArray, IntArray
from quorate.evaluation.lookahead.implausible_auc import ImplausibleColumn, suspects
from quorate.evaluation.lookahead.truncation import Change, changes, poisoned
from quorate.evaluation.metrics import classification
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

Test = Literal["truncation", "poison", "shuffled labels", "too good"]

# Candles -> (n,) or (n, F) values, or decisions, one row a bar.
Compute = Callable[[Candles], npt.NDArray[Any] | DecisionFrame]
# Inputs, labels, rows to learn from, rows to score -> (rows to score, 3) scores.
Train = Callable[[npt.NDArray[Any], ActionArray, IntArray, IntArray], FloatArray]

_DEFAULT = EvaluationSettings()
# Labels are shuffled this often: one shuffle may line up with something by chance.
_SHUFFLES = 3
_CUTS = 24
# Bars that a feature may need before it can be computed at all.
_WARM = 50


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that knows what it should not.

    Attributes:
        name: the column, or the model.
        test: that caught it.
        found: what was seen, in words.
    """

    name: str
    test: Test
    found: str

    def __str__(self) -> str:
        return f"{self.name}: {self.found} ({self.test})"


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """What a check found.

    Attributes:
        leaks: all of them, one for each name and test.
        tests: that were made.
    """

    leaks: tuple[Leak, ...]
    tests: tuple[Test, ...]

    @property
    def clean(self) -> bool:
        """Nothing was found; that is no proof that there is nothing."""
        return not self.leaks

    @property
    def names(self) -> tuple[str, ...]:
        """The culprits, each once."""
        return tuple(dict.fromkeys(leak.name for leak in self.leaks))

    def __str__(self) -> str:
        if self.clean:
            return f"no look-ahead found by {', '.join(self.tests)}"
        return "\n".join(["LOOK-AHEAD", *(f"  {leak}" for leak in self.leaks)])

    def require_clean(self) -> None:
        """Refuse what leaks.

        Raises:
            EvaluationError: naming every culprit.
        """
        if self.leaks:
            raise EvaluationError(
                "trust these figures",
                found="; ".join(map(str, self.leaks)),
                expected="columns and models that know nothing of later bars",
                remedy="Compute each row from bars up to it, fit on earlier rows only, keep targets out of features.",
            )


def check_features(
    compute: Compute,
    panel: Mapping[str, Candles],
    names: Sequence[str] | None = None,
    *,
    seed: int = 0,
    cuts: int = _CUTS,
) -> LeakageReport:
    """Recompute features at random bars without the candles after them, and with absurd ones in their place.

    Args:
        compute: candles of one market, at least 50, -> (n, F) features, one row a bar; called about twice a cut.
        panel: symbol -> candles, of one market or more.
        names: of the columns; None numbers them.
        seed: of the choice of bars.
        cuts: bars that are looked at by each test.

    Raises:
        EvaluationError: too few candles, or not one row for each bar.
    """
    if not any(len(candles) > _WARM + 1 for candles in panel.values()):
        raise EvaluationError(
            "look for look-ahead", found="no market with bars enough", expected=f"more than {_WARM + 1} candles"
        )

    def table(candles: Candles) -> FloatArray:
        return _table(compute(candles), candles)

    first = max(panel.values(), key=len)
    width = table(first).shape[1]
    columns = tuple(names) if names is not None else tuple(f"column {place}" for place in range(width))
    if len(columns) != width:
        raise EvaluationError("look for look-ahead", found=f"{width} columns", expected=f"{len(columns)}, as named")
    leaks = [
        Leak(change.column, "truncation", _moved(change, "without the bars after it"))
        for change in changes(panel, columns, table, seed=seed, cuts=cuts, warm=_WARM)
    ]
    leaks += [
        Leak(change.column, "poison", _moved(change, "when the bars after it are absurd"))
        for change in poisoned(panel, columns, table, seed=seed, cuts=cuts, warm=_WARM)
    ]
    return LeakageReport(tuple(leaks), ("truncation", "poison"))


def check_strategy(decide: Compute, panel: Mapping[str, Candles], *, seed: int = 0, cuts: int = _CUTS) -> LeakageReport:
    """The same for decisions: whatever a strategy says of a bar, it must say without knowing the bars after it.

    A strategy that fits a scaler, a threshold or a model on all the candles it is given is caught here, too.

    Args:
        decide: candles -> a `DecisionFrame`, of which action and confidence are looked at, or (n,) or (n, k) values.
        panel: symbol -> candles.
        seed: of the choice of bars.
        cuts: bars that are looked at by each test.

    Raises:
        EvaluationError: too few candles, or not one decision for each bar.
    """
    whole = max(panel.values(), key=len, default=None)
    said = None if whole is None else decide(whole)
    names: tuple[str, ...] | None = None
    if isinstance(said, DecisionFrame):
        names = ("action", "confidence")
    elif said is not None and np.asarray(said).ndim == 1:
        names = ("decision",)
    return check_features(decide, panel, names, seed=seed, cuts=cuts)


def check_model(
    train: Train,
    X: npt.NDArray[Any],
    y: ActionArray,
    time: IntArray,
    learned: IntArray,
    judged: IntArray,
    *,
    name: str = "model",
    names: Sequence[str] | None = None,
    settings: EvaluationSettings = _DEFAULT,
) -> LeakageReport:
    """Train on labels that say nothing, and look whether it still knows those of the rows it is judged on.

    Args:
        train: inputs, labels, rows to learn from and rows to score -> (rows, 3) scores of the latter. It gets all
            inputs and labels, so that a procedure that touches more of them than it should can be caught at it.
        X: (n, F) inputs, or (n, L, F).
        y: (n,) classes.
        time: (n,) int64 open times in ms.
        learned: rows to learn from.
        judged: rows to score; none of them may be learned from.
        name: of the model.
        names: of the columns of (n, F) inputs, which are then each asked whether they are too good to be true.
        settings: of intervals, and the area that nothing honest reaches.

    Raises:
        EvaluationError: scores that are not (rows, 3), or labels that are not one for each row.
    """
    if not len(X) == len(y) == len(time):
        raise EvaluationError(
            "look for look-ahead", found=f"{len(X)} inputs, {len(y)} labels, {len(time)} times", expected="one of each"
        )
    leaks: list[Leak] = []
    blocks = TimeBlocks(time[judged], settings)
    generator = np.random.default_rng(settings.seed)
    scored = [learned, judged]
    areas = []
    for _ in range(_SHUFFLES):
        nonsense = y.copy()
        rows = np.unique(np.concatenate(scored))
        nonsense[rows] = generator.permutation(y[rows])
        scores = np.asarray(train(X, nonsense, learned, judged), np.float64)
        classification.check_scores(nonsense[judged], scores)
        areas.append(suspects({name: classification.lean(scores)}, nonsense[judged], blocks, _NOTHING))
    if all(areas):
        worst = max((found[0] for found in areas), key=lambda suspect: abs(suspect.auc - 0.5))
        found = f"tells shuffled labels of the judged rows apart, area {worst.auc:.3f}: it has seen them"
        leaks.append(Leak(name, "shuffled labels", found))
    lean = classification.lean(np.asarray(train(X, y, learned, judged), np.float64))
    leaks += [_too_good(suspect) for suspect in suspects({name: lean}, y[judged], blocks, settings.plausible_auc)]
    if names is not None:
        columns = {column: X[judged, place] for place, column in enumerate(names)}
        leaks += [_too_good(suspect) for suspect in suspects(columns, y[judged], blocks, settings.plausible_auc)]
    return LeakageReport(tuple(leaks), ("shuffled labels", "too good"))


# Labels without any meaning leave an area of a half; its interval need only be clear of this.
_NOTHING = 0.52


def _too_good(suspect: ImplausibleColumn) -> Leak:
    return Leak(suspect.name, "too good", f"tells BUY from SELL with an area of {suspect.auc:.3f}")


def _moved(change: Change, how: str) -> str:
    at = f"{change.symbol} at {format_ms(change.time)}"
    return f"{change.whole:.6g} becomes {change.cut:.6g} {how}, {at}"


def _table(said: npt.NDArray[Any] | DecisionFrame, candles: Candles) -> FloatArray:
    """(n, F) float64 of whatever was computed."""
    if isinstance(said, DecisionFrame):
        said = np.column_stack([said.action, said.confidence])
    values = np.asarray(said, np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != len(candles):
        raise EvaluationError(
            "look for look-ahead",
            found=f"values of shape {values.shape}",
            expected=f"one row for each of {len(candles)} bars",
        )
    return values
