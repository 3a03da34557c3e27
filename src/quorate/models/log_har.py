"""Volatility alone: P(move) from volatility over many horizons, and no opinion on the direction.

The probability that the label is not HOLD is a logistic regression on the logarithms of volatility over hours, a day
and a week, and on the hour of the day. Its index then passes through a linear spline, because P(move) saturates more
slowly than the logistic curve. SELL and BUY share P(move) as in the training rows. It is the baseline of class models:
one that is no better knows nothing but volatility.

Reference: Corsi (2009), A Simple Approximate Long-Memory Model of Realized Volatility.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Action, Float32Array, FloatArray
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.models.base import FitRequest, Model
from quorate.models.export import DOUBLE, FLOAT, Step, steps_to_onnx
from quorate.models.input_checks import Matrix
from quorate.models.linear.logistic import fit_regression, standardise
from quorate.models.model_files import finite_array, read_file, write_file

_FORMAT = "quorate-log-har-1"

_VOLATILITY = (
    *(f"log_volatility_{bars}" for bars in (6, 24, 168)),
    *(f"log_range_{bars}" for bars in (1, 6, 24, 168)),
    *("log_range_ewm_2", "log_range_ewm_8", "log_range_same_time"),
)
_A_DAY = 2 * math.pi / 24  # radians an hour
_PHASES = np.array([0.0, math.pi / 2])  # of the sine, and of the cosine as a sine

# Log-odds of P(move) where every training row moved, or none.
_CERTAIN = 50.0

# Newton's method: few columns and many rows.
_SOLVER: dict[str, Any] = {"solver": "newton-cholesky", "tol": 1e-8, "max_iter": 100}

# Scores from P(move): (0, 1, 0) + P(move) x (1 - P(up | move), -1, P(up | move)).
_NO_MOVE = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A fitted P(move), and the shares of SELL and BUY in it. All float64; I = 12 inputs.

    Attributes:
        place: (11,) columns of X that are read, the hour last.
        low, high, mean, scale: (I,) limits and scaling of the inputs, see `Logistic`.
        weights: (I,) of the standardised inputs; their sum is the index.
        knots: (k,) rising, values of the index at which the slope changes.
        slopes: (1 + k,) log-odds by the index, and by its excess over each knot.
        intercept: (1,) log-odds at an index of 0, below all knots.
        sides: (3,) change of the scores by P(move).
    """

    place: FloatArray
    low: FloatArray
    high: FloatArray
    mean: FloatArray
    scale: FloatArray
    weights: FloatArray
    knots: FloatArray
    slopes: FloatArray
    intercept: FloatArray
    sides: FloatArray

    def scores(self, X: Float32Array) -> FloatArray:
        """(B, 3) scores of (B, F) rows."""
        inputs = (np.clip(_inputs(X, self.place), self.low, self.high) - self.mean) / self.scale
        odds = _hinges(inputs @ self.weights, self.knots) @ self.slopes + self.intercept
        return np.asarray(_NO_MOVE + _logistic(odds)[:, None] * self.sides)

    def require_consistent(self, columns: int) -> None:
        """Check arrays that were read from a file.

        Raises:
            ValueError: shapes that do not fit, or values out of range.
        """
        inputs, k = len(_VOLATILITY) + 2, len(self.slopes) - 1
        wanted = dict.fromkeys(("low", "high", "mean", "scale", "weights"), (inputs,))
        wanted |= {"place": (inputs - 1,), "knots": (k,), "slopes": (1 + k,), "intercept": (1,), "sides": (3,)}
        shapes = {name: getattr(self, name).shape for name in wanted}
        if shapes != wanted:
            raise ValueError(f"arrays of {shapes}")
        if not (np.isin(self.place, np.arange(columns)).all() and (self.scale > 0).all()):
            raise ValueError("a column or a scale out of range")
        if not (0 <= self.sides[Action.BUY] <= 1 and np.allclose(self.sides, _sides(self.sides[Action.BUY]))):
            raise ValueError(f"shares of {self.sides.tolist()}")


class LogHAR(Model):
    """P(move) by log-volatility and the hour; returns are predicted by their training mean."""

    name: ClassVar[str] = "log_har"
    suffix: ClassVar[str] = ".json"
    directional: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = (*_VOLATILITY, "hour")
    _columns: int | None = None
    _curve: Curve | None = None
    _mean_return: float = 0.0

    @property
    def columns(self) -> int | None:
        return self._columns

    def _fit(self, request: FitRequest) -> None:
        X, y = np.asarray(request.X), np.asarray(request.y, np.float64)
        weight = np.ones(len(X)) if request.weight is None else request.weight
        used = weight > 0
        X, y, weight = X[used], y[used], weight[used]
        if self.task == "class":
            self._curve = self._fit_curve(X, y, weight)
        else:
            self._mean_return = float(np.average(y, weights=weight))
        self._columns = X.shape[1]
        if request.progress is not None:
            request.progress(1, 1)

    def _fit_curve(self, X: Float32Array, y: FloatArray, weight: FloatArray) -> Curve:
        s = self.settings.log_har
        place = self._place(X.shape[1])
        rows = _inputs(X, place)
        low, high, mean, scale = standardise(rows, weight, s.tail)
        moved = y != Action.HOLD
        share = float(np.average(moved, weights=weight))
        up = float(np.average(y[moved] == Action.BUY, weights=weight[moved])) if moved.any() else 0.5
        weights, knots = np.zeros(rows.shape[1]), np.empty(0)
        slopes, intercept = np.zeros(1), math.copysign(_CERTAIN, share - 0.5)
        if 0 < share < 1:
            linear = fit_regression(self.name, rows, moved, weight, s.l2, **_SOLVER)
            weights = linear.coef_[0]
            index = rows @ weights
            # Equal quantiles, as of an index that hardly varies, are one knot.
            knots = np.unique(np.quantile(index, np.linspace(0, 1, s.knots + 2)[1:-1]))
            bent = fit_regression(self.name, _hinges(index, knots), moved, weight, s.l2, **_SOLVER)
            slopes, intercept = bent.coef_[0], float(bent.intercept_[0])
        return Curve(
            place=place,
            low=low,
            high=high,
            mean=mean,
            scale=scale,
            weights=weights,
            knots=knots,
            slopes=slopes,
            intercept=np.array([intercept]),
            sides=_sides(up),
        )

    def _place(self, columns: int) -> FloatArray:
        """(11,) places of the columns that it reads.

        Raises:
            ModelError: a column is missing, or the names of the columns are not known.
        """
        names = self.feature_names
        missing = [name for name in self.reads if name not in names]
        if missing:
            raise ModelError(
                f"fit {self.name}",
                found=f"no column {', '.join(missing)}" if names else "columns without names",
                expected=f"the columns {', '.join(self.reads)}",
                remedy='Set train.features = "core30", or pass `features` to `quorate.models.build`.',
            )
        if len(names) != columns:
            raise ModelError(f"fit {self.name}", found=f"{columns} columns", expected=f"{len(names)}, as named")
        return np.array([names.index(name) for name in self.reads], np.float64)

    def _infer(self, X: Matrix) -> FloatArray:
        if self.task == "return":
            return np.full(len(X), self._mean_return)
        return self._require_fitted(self._curve).scores(np.asarray(X))

    def save(self, path: Path) -> None:
        tree: dict[str, Any] = {"format": _FORMAT, "task": self.task, "columns": self._require_fitted(self._columns)}
        if self._curve is None:
            tree["mean_return"] = self._mean_return
        else:
            tree |= {name: array.tolist() for name, array in asdict(self._curve).items()}
        write_file(path, (json.dumps(tree, allow_nan=False) + "\n").encode())

    def load(self, path: Path) -> Self:
        content = read_file(path)
        try:
            tree = parse_json(content)
            if (tree["format"], tree["task"]) != (_FORMAT, self.task):
                found = f"{tree['format']!r} of the task {tree['task']!r}"
                raise ModelError(f"load {path}", found=found, expected=f'{_FORMAT} of the task "{self.task}"')
            columns, curve, mean_return = int(tree["columns"]), None, 0.0
            if self.task == "class":
                curve = Curve(**{field.name: finite_array(tree[field.name]) for field in fields(Curve)})
                curve.require_consistent(columns)
            else:
                mean_return = float(finite_array(tree["mean_return"]))
        except MISSHAPEN as error:
            raise ModelError(f"load {path}", found=repr(error), expected=f"a file of {_FORMAT}") from error
        self._columns, self._curve, self._mean_return = columns, curve, mean_return
        return self

    def to_onnx(self) -> bytes:
        """The fitted model as an ONNX graph that computes in double, so that it differs by rounding only."""
        columns = self._require_fitted(self._columns)
        if self._curve is not None:
            return steps_to_onnx(self.name, *_curve_graph(self._curve), columns, len(Action))
        steps = (
            Step("Gather", ("input", "first"), "any", {"axis": 1}),
            Step("Mul", ("any", "none"), "zero"),
            Step("Add", ("zero", "mean_return"), "output"),
        )
        constants: dict[str, Any] = {
            "first": np.zeros(1, np.int64),
            "none": np.zeros(1, np.float32),
            "mean_return": np.full(1, self._mean_return, np.float32),
        }
        return steps_to_onnx(self.name, steps, constants, columns, 1)


def _inputs(X: Float32Array, place: FloatArray) -> FloatArray:
    """(B, 12) float64: logarithms of volatility, sine and cosine of the hour."""
    read = X[:, place.astype(np.intp)].astype(np.float64)
    return np.concatenate([read[:, :-1], np.sin(read[:, -1:] * _A_DAY + _PHASES)], axis=1)


def _hinges(index: FloatArray, knots: FloatArray) -> FloatArray:
    """(B, 1 + k) the index, and its excess over each knot."""
    return np.column_stack([index, np.maximum(index[:, None] - knots, 0.0)])


def _logistic(odds: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-np.logaddexp(0.0, -odds)))


def _sides(up: float) -> FloatArray:
    """(3,) change of the scores by P(move), for a share `up` of BUY."""
    return np.array([1.0 - up, -1.0, up])


def _curve_graph(curve: Curve) -> tuple[list[Step], dict[str, Any]]:
    """Steps and constants of an ONNX graph of `Curve.scores`."""
    place = curve.place.astype(np.int64)
    constants = {
        "logs": place[:-1],
        "hour": place[-1:],
        "a_day": np.array([_A_DAY]),
        "phases": _PHASES,
        "no_move": _NO_MOVE,
        **{name: getattr(curve, name) for name in ("low", "high", "mean", "scale", "intercept", "sides")},
        "weights": curve.weights[:, None],
        "slopes": curve.slopes[:, None],
    }
    steps = [
        Step("Cast", ("input",), "double", {"to": DOUBLE}),
        Step("Gather", ("double", "logs"), "log_volatility", {"axis": 1}),
        Step("Gather", ("double", "hour"), "hours", {"axis": 1}),
        Step("Mul", ("hours", "a_day"), "angle"),
        Step("Add", ("angle", "phases"), "angles"),
        Step("Sin", ("angles",), "time_of_day"),
        Step("Concat", ("log_volatility", "time_of_day"), "inputs", {"axis": 1}),
        Step("Max", ("inputs", "low"), "raised"),
        Step("Min", ("raised", "high"), "held"),
        Step("Sub", ("held", "mean"), "centred"),
        Step("Div", ("centred", "scale"), "standardised"),
        Step("MatMul", ("standardised", "weights"), "index"),
    ]
    hinges = "index"
    if len(curve.knots):
        hinges, constants["knots"] = "hinges", curve.knots
        steps += [
            Step("Sub", ("index", "knots"), "excess"),
            Step("Relu", ("excess",), "above"),
            Step("Concat", ("index", "above"), "hinges", {"axis": 1}),
        ]
    steps += [
        Step("MatMul", (hinges, "slopes"), "products"),
        Step("Add", ("products", "intercept"), "odds"),
        Step("Sigmoid", ("odds",), "moves"),
        Step("Mul", ("moves", "sides"), "apart"),
        Step("Add", ("apart", "no_move"), "scores"),
        Step("Cast", ("scores",), "output", {"to": FLOAT}),
    ]
    return steps, constants
