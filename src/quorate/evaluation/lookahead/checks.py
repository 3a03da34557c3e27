"""Leakage checks for feature sets, strategies and models.

Four tests are made, each of which detects what the others cannot:

- *truncation*: recompute the newest row without the candles after it. It changes if the code reads them.
- *perturbation*: recompute a row with absurd candles after it. The same, for code that cannot run on fewer candles.
- *shuffled labels*: train a model on labels without information. If it still predicts those of the test rows, it was
  trained on them.
- *implausible AUC*: test whether one column, or one model, separates BUY from SELL better than is possible in a real
  market. This detects a target among the features, wherever it comes from.

    >>> import numpy as np
    >>> from quorate.evaluation.lookahead.checks import check_features
    >>> from quorate.market import SyntheticMarket
    >>> market = SyntheticMarket(seed=1, symbols=1, bars=300)
    >>> def features(candles):
    ...     change = np.diff(candles.close, prepend=candles.close[0]) / candles.close
    ...     scaled = (candles.close - candles.close.mean()) / candles.close.std()
    ...     return np.column_stack([change, scaled])
    >>> report = check_features(features, market.panel(), names=("change", "scaled"))
    >>> report.clean, report.names
    (False, ('scaled',))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from quorate.core.arguments import FUNCTION, MAPPING, TEXT, WHOLE, Kind, require_texts, require_type, require_types
from quorate.core.clock import format_ms
from quorate.core.errors import ArgumentError, EvaluationError
from quorate.core.settings import EvaluationSettings
from quorate.core.types import ActionArray, Candles, DecisionFrame, FloatArray, IntArray
from quorate.evaluation.lookahead.implausible_auc import ImplausibleColumn, implausible_columns
from quorate.evaluation.lookahead.leakage_report import Leak, LeakageReport
from quorate.evaluation.lookahead.truncation import Change, perturbation_changes, truncation_changes
from quorate.evaluation.metrics import classification
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

# Candles -> (n,) or (n, F) values, or decisions, one row a bar.
Compute = Callable[[Candles], npt.NDArray[Any] | DecisionFrame]
# Inputs, labels, training rows, test rows -> (test rows, 3) scores.
Train = Callable[[npt.NDArray[Any], ActionArray, IntArray, IntArray], FloatArray]

_DEFAULT = EvaluationSettings()
# Labels are shuffled this often, since a single shuffle may correlate with something by chance.
_SHUFFLES = 3
_CUTS = 24
# Bars that a feature may need before it can be computed at all.
_WARM = 50
_ATTEMPTED = "check for look-ahead"
# The AUC of shuffled labels is 0.5; its interval only has to exceed this.
_NO_SKILL_AUC = 0.52


def check_features(
    compute: Compute,
    panel: Mapping[str, Candles],
    names: Sequence[str] | None = None,
    *,
    seed: int = 0,
    cuts: int = _CUTS,
) -> LeakageReport:
    """Check features for look-ahead: recompute them at random bars without later candles, and with perturbed ones.

    Args:
        compute: candles of one market, at least 50, -> (n, F) or (n,) features, one row a bar. It is called about twice
            for every cut.
        panel: symbol -> candles, at least one market of more than 51 bars.
        names: of the F columns; default: "column 0", "column 1", ...
        seed: of the random choice of bars.
        cuts: number of bars that each test checks. Rare look-ahead needs more.

    Returns:
        The leaks by column and test. NaN equals NaN, and rounding is not a leak.

    Raises:
        EvaluationError: too few candles, not one row for each bar, or not as many columns as names.
    """
    _require_inputs("compute", compute, panel, seed, cuts)
    if names is not None:
        require_texts(_ATTEMPTED, "names", names, "a sequence of the columns' names")
    if not any(len(candles) > _WARM + 1 for candles in panel.values()):
        longest = max((len(candles) for candles in panel.values()), default=0)
        raise EvaluationError(
            "check for look-ahead",
            found=f"{len(panel)} markets, the longest of {longest} candles",
            expected=f"a market of more than {_WARM + 1} candles",
        )

    def table(candles: Candles) -> FloatArray:
        return _table(compute(candles), candles)

    first = max(panel.values(), key=len)
    width = table(first).shape[1]
    columns = tuple(names) if names is not None else tuple(f"column {place}" for place in range(width))
    if len(columns) != width:
        raise EvaluationError(
            "check for look-ahead", found=f"{width} columns", expected=f"{len(columns)}, as in `names`"
        )
    leaks = [
        Leak(change.column, "truncation", _describe(change, "without the later candles"))
        for change in truncation_changes(panel, columns, table, seed=seed, cuts=cuts, warm=_WARM)
    ]
    leaks += [
        Leak(change.column, "perturbation", _describe(change, "with perturbed later candles"))
        for change in perturbation_changes(panel, columns, table, seed=seed, cuts=cuts, warm=_WARM)
    ]
    return LeakageReport(tuple(leaks), ("truncation", "perturbation"))


def check_strategy(decide: Compute, panel: Mapping[str, Candles], *, seed: int = 0, cuts: int = _CUTS) -> LeakageReport:
    """Check a strategy for look-ahead: its decision on a bar must not depend on later candles.

    This also detects a scaler, a threshold or a model that is fitted on all candles given to the strategy.

    Args:
        decide: candles of one market, at least 50, -> a `DecisionFrame`, whose action and confidence are checked, or
            (n,) or (n, k) values, one row a bar.
        panel: symbol -> candles, at least one market of more than 51 bars.
        seed: of the random choice of bars.
        cuts: number of bars that each test checks.

    Returns:
        The leaks by column ("action", "confidence", or "decision") and test.

    Raises:
        EvaluationError: too few candles, or not one decision for each bar.
    """
    _require_inputs("decide", decide, panel, seed, cuts)
    whole = max(panel.values(), key=len, default=None)
    decided = None if whole is None else decide(whole)
    names: tuple[str, ...] | None = None
    if isinstance(decided, DecisionFrame):
        names = ("action", "confidence")
    elif decided is not None and np.asarray(decided).ndim == 1:
        names = ("decision",)
    return check_features(decide, panel, names, seed=seed, cuts=cuts)


def check_model(
    train: Train,
    X: npt.NDArray[Any],
    y: ActionArray,
    time: IntArray,
    train_rows: IntArray,
    test_rows: IntArray,
    *,
    name: str = "model",
    names: Sequence[str] | None = None,
    settings: EvaluationSettings = _DEFAULT,
) -> LeakageReport:
    """Check a training procedure for leakage: train it on shuffled labels, and test whether it predicts the test rows'.

    Args:
        train: called with inputs, labels, training rows and test rows; returns (test rows, 3) scores of SELL, HOLD and
            BUY, each row summing to 1, NaN rows for abstentions. It gets the inputs and labels of all rows, so that a
            procedure that uses more of them than it should is detected. Called four times.
        X: (n, F) inputs, or (n, L, F) windows.
        y: (n,) int8 classes, 0 SELL, 1 HOLD, 2 BUY.
        time: (n,) int64 open times in ms.
        train_rows: (m,) rows to train on.
        test_rows: (k,) rows to score; none of them in `train_rows`.
        name: of the model in the report.
        names: of the F columns of (n, F) inputs; if given, each column is checked for an implausible AUC.
        settings: of the intervals; `plausible_auc` is the highest AUC that is plausible without a leak.

    Returns:
        The leaks by model or column.

    Raises:
        EvaluationError: not one input, label and time for each row, rows in both sets, or scores not of shape (k, 3).
    """
    array = Kind((np.ndarray,), "an array with one value for each row")
    rows_of = Kind((np.ndarray,), "an array of the places of rows")
    require_types(
        "check a model for leakage",
        train=(train, FUNCTION),
        X=(X, array),
        y=(y, array),
        time=(time, array),
        train_rows=(train_rows, rows_of),
        test_rows=(test_rows, rows_of),
        name=(name, TEXT),
        settings=(settings, Kind((EvaluationSettings,), "an EvaluationSettings, as settings.evaluation")),
    )
    if names is not None:
        require_texts("check a model for leakage", "names", names, "a sequence of the columns' names")
    _require_rows(len(X), train_rows=train_rows, test_rows=test_rows)
    if not len(X) == len(y) == len(time):
        raise EvaluationError(
            "check a model for leakage",
            found=f"{len(X)} inputs, {len(y)} labels, {len(time)} times",
            expected="one of each for every row",
        )
    if shared := len(np.intersect1d(train_rows, test_rows)):
        raise EvaluationError(
            "check a model for leakage",
            found=f"{shared} rows both in `train_rows` and in `test_rows`",
            expected="no row in both",
        )
    leaks: list[Leak] = []
    blocks = TimeBlocks(time[test_rows], settings)
    generator = np.random.default_rng(settings.seed)
    rows = np.unique(np.concatenate([train_rows, test_rows]))
    found = []
    for _ in range(_SHUFFLES):
        shuffled = y.copy()
        shuffled[rows] = generator.permutation(y[rows])
        scores = np.asarray(train(X, shuffled, train_rows, test_rows), np.float64)
        classification.check_scores(shuffled[test_rows], scores)
        direction = classification.directional_score(scores)
        found.append(implausible_columns({name: direction}, shuffled[test_rows], blocks, _NO_SKILL_AUC))
    if all(found):
        worst = max((columns[0] for columns in found), key=lambda column: abs(column.auc - 0.5))
        leaks.append(
            Leak(name, "shuffled labels", f"predicts shuffled labels of the test rows with an AUC of {worst.auc:.3f}")
        )
    direction = classification.directional_score(np.asarray(train(X, y, train_rows, test_rows), np.float64))
    inputs = {} if names is None else {column: X[test_rows, place] for place, column in enumerate(names)}
    for checked in ({name: direction}, inputs):
        columns = implausible_columns(checked, y[test_rows], blocks, settings.plausible_auc)
        leaks += [_implausible(column) for column in columns]
    return LeakageReport(tuple(leaks), ("shuffled labels", "implausible AUC"))


def _require_inputs(name: str, compute: object, panel: object, seed: object, cuts: object) -> None:
    """Refuse arguments of other types than the checks of features and strategies take."""
    require_types(
        _ATTEMPTED, **{name: (compute, FUNCTION)}, panel=(panel, MAPPING), seed=(seed, WHOLE), cuts=(cuts, WHOLE)
    )
    for candles in cast("Mapping[object, object]", panel).values():
        require_type(_ATTEMPTED, "panel", candles, Candles, "a mapping from symbol to quorate.Candles")
    for limit, (argument, value) in enumerate((("seed", seed), ("cuts", cuts))):
        if cast("int", value) < limit:
            raise ArgumentError(_ATTEMPTED, found=f"`{argument}` {value}", expected=f"at least {limit}")


def _require_rows(rows: int, **places: IntArray) -> None:
    """Refuse places of rows that there are not."""
    for name, given in places.items():
        if given.ndim != 1 or given.dtype.kind not in "iu" or not given.size or given.min() < 0 or given.max() >= rows:
            raise EvaluationError(
                "check a model for leakage",
                found=f"`{name}` of shape {given.shape} and type {given.dtype}",
                expected=f"at least one place of a row, 0 to {rows - 1}",
            )


def _implausible(column: ImplausibleColumn) -> Leak:
    return Leak(column.name, "implausible AUC", f"separates BUY from SELL with an AUC of {column.auc:.3f}")


def _describe(change: Change, how: str) -> str:
    at = f"{change.symbol} at {format_ms(change.time)}"
    return f"{change.whole:.6g} becomes {change.cut:.6g} {how}, {at}"


def _table(values: npt.NDArray[Any] | DecisionFrame, candles: Candles) -> FloatArray:
    """(n, F) float64 of computed values or decisions."""
    if isinstance(values, DecisionFrame):
        values = np.column_stack([values.action, values.confidence])
    try:
        table = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise EvaluationError(
            _ATTEMPTED, found=f"values of type {type(values).__name__}", expected="an array of numbers"
        ) from error
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) != len(candles):
        raise EvaluationError(
            "check for look-ahead",
            found=f"values of shape {table.shape}",
            expected=f"one row for each of {len(candles)} bars",
        )
    return table
