"""The messages that walk through Quorate: candles in, votes and a signal out. All frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from quorate.core.clock import format_ms, newest_closed_ms, timeframe_ms
from quorate.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
ActionArray = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.str_]

Mode = Literal["full", "partial", "none"]
Policy = Literal["classic", "calibrated"]

PRICE_COLUMNS = ("open", "high", "low", "close")
CANDLE_COLUMNS = (*PRICE_COLUMNS, "volume")


class Action(IntEnum):
    """What to do, and at once the class order of every label, score and file."""

    SELL = 0
    HOLD = 1
    BUY = 2


CLASS_NAMES = tuple(action.name for action in Action)


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Candles of one market, oldest first.

    Attributes:
        symbol: ccxt's name: "BTC/USDT" is spot, "BTC/USDT:USDT" a perpetual.
        timeframe: "1h", "4h", ...
        time: (n,) int64, UTC open times in ms, strictly increasing; gaps stay gaps.
        open, high, low, close: (n,) float64 prices in quote units.
        volume: (n,) float64 in base units.
        synthetic: made by the synthetic market; every number derived from it says so.

    The arrays are read-only views. No NaN: market/quality.py is where rows are judged.

    Raises:
        DataError: columns of different lengths, or times that do not increase.
    """

    symbol: str
    timeframe: str
    time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    synthetic: bool = False

    def __post_init__(self) -> None:
        timeframe_ms(self.timeframe)
        _freeze(self, ("time",), np.int64)
        _freeze(self, CANDLE_COLUMNS, np.float64)
        lengths = {name: len(getattr(self, name)) for name in ("time", *CANDLE_COLUMNS)}
        if len(set(lengths.values())) > 1:
            raise DataError(
                f"build candles of {self.symbol}", found=f"columns of {lengths} rows", expected="one length"
            )
        backwards = np.flatnonzero(self.time[1:] <= self.time[:-1])
        if backwards.size:
            row = int(backwards[0]) + 1
            raise DataError(
                f"build candles of {self.symbol}",
                found=f"row {row} at {format_ms(int(self.time[row]))} not after the row before it",
                expected="open times that increase",
                remedy="Sort the rows and remove duplicates.",
            )

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, rows: slice) -> Self:
        """The same market over some rows: a view, nothing is copied."""
        return replace(self, **{name: getattr(self, name)[rows] for name in ("time", *CANDLE_COLUMNS)})

    def between(self, start: int | None = None, end: int | None = None) -> Self:
        """Bars that open at or after `start` and before `end`, both in ms."""
        first = 0 if start is None else int(np.searchsorted(self.time, start))
        last = len(self) if end is None else int(np.searchsorted(self.time, end))
        return self[first : max(first, last)]

    def tail(self, bars: int) -> Self:
        """The newest `bars` bars."""
        return self[max(0, len(self) - bars) :]

    def closed(self, now: int) -> Self:
        """Without a bar that is still running at `now`."""
        return self.between(end=newest_closed_ms(self.timeframe, now) + 1)

    @classmethod
    def from_pandas(cls, frame: pd.DataFrame, symbol: str, timeframe: str) -> Self:
        """From a frame with Freqtrade's columns: date (or a time index), open, high, low, close, volume.

        A date without a time zone is taken as UTC.
        """
        dates = frame["date"] if "date" in frame.columns else frame.index.to_series()
        utc = dates.dt.tz_localize("UTC") if dates.dt.tz is None else dates.dt.tz_convert("UTC")
        time = utc.dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
        return cls(symbol, timeframe, time, *(frame[name].to_numpy(np.float64) for name in CANDLE_COLUMNS))

    def to_pandas(self) -> pd.DataFrame:
        """A new frame with Freqtrade's columns; `date` is UTC."""
        import pandas as pd

        date = pd.to_datetime(self.time, unit="ms", utc=True)
        return pd.DataFrame({"date": date, **{name: getattr(self, name).copy() for name in CANDLE_COLUMNS}})


@dataclass(frozen=True, slots=True, eq=False)
class Funding:
    """Funding settlements of one perpetual.

    Attributes:
        time: (m,) int64, settlement times in ms UTC, increasing.
        rate: (m,) float64, fraction of the position's value; a long pays a positive rate.
    """

    symbol: str
    time: IntArray
    rate: FloatArray

    def __post_init__(self) -> None:
        _freeze(self, ("time",), np.int64)
        _freeze(self, ("rate",), np.float64)
        if len(self.time) != len(self.rate):
            raise DataError(f"build funding of {self.symbol}", found=f"{len(self.time)} times, {len(self.rate)} rates")

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class Vote:
    """One model's say on one bar.

    Attributes:
        model: registry name.
        action: the class with the largest score.
        score: that class's raw score, 0 to 1: not a probability.
        probabilities: SELL, HOLD, BUY, only once calibrated out of fold; else None.
        weight: the model's weight in this vote; None takes it from the settings.
        scores: SELL, HOLD, BUY raw scores, where known.
    """

    model: str
    action: Action
    score: float
    probabilities: tuple[float, float, float] | None = None
    weight: float | None = None
    scores: tuple[float, float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "action": self.action.name,
            "score": self.score,
            "scores": None if self.scores is None else list(self.scores),
            "probabilities": None if self.probabilities is None else list(self.probabilities),
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """One member's say in a stack on one bar: a return instead of a class. It has no score.

    Attributes:
        model: registry name.
        predicted_return: over the target's horizon, a fraction.
        action: BUY or SELL where that exceeds a round trip's cost in size, else HOLD.
    """

    model: str
    predicted_return: float
    action: Action

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "action": self.action.name,
            "score": None,
            "scores": None,
            "probabilities": None,
            "predicted_return": self.predicted_return,
        }


@dataclass(frozen=True, slots=True)
class Abstention:
    """A configured model that did not vote, and why. Never a HOLD."""

    model: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"model": self.model, "reason": self.reason}


# The one-line form's short names; a model that is not here shows its own name.
_SHORT_NAMES = {"xgboost": "xgb", "lightgbm": "lgbm"}


@dataclass(frozen=True, slots=True)
class Signal:
    """The decision on one bar, with everything that led to it.

    Attributes:
        action: what to do.
        confidence: base times the consensus multiplier, capped; 0 after a conflict.
        consensus: unanimous, strong, split, weak or conflict_resolved_to_hold, perhaps with _volatility_hold.
        rule: what decided: vote, conflict, no_votes, no_quorum, volatility_gate, below_floor or fallback_rules; by the
            calibrated policy calibrated, no_votes, no_quorum, below_return, below_probability or ambiguous; of a stack
            predicted_return, within_cost or member_missing.
        base: weighted mean score of the agreeing models, before the boost.
        volatility: volatility_20 as a fraction; None when unknown.
        mode: full, partial or none (of the bundle's members, how many were loaded).
        symbol, time: the market and the bar's open time in ms, where known.
        policy: classic, calibrated or stack: whose rules decided. The confidence of the latter two is a probability.
        probabilities: SELL, HOLD, BUY, the ensemble's own, once calibrated out of fold; else None.
        expected_return: of the side that was asked about, after a round trip's costs, a fraction; calibrated only.
        prediction_set: the classes that cannot be ruled out, where the bundle has prediction sets; calibrated only.
        forecasts: what the members of a stack predict, who cast no votes.
        predicted_return: the stack's own, a fraction; None in a vote, and where one of its members is missing.
    """

    action: Action
    confidence: float
    consensus: str
    rule: str
    base: float
    volatility: float | None
    votes: tuple[Vote, ...]
    abstentions: tuple[Abstention, ...] = ()
    mode: Mode = "full"
    symbol: str = ""
    time: int | None = None
    policy: Policy | Literal["stack"] = "classic"
    probabilities: tuple[float, float, float] | None = None
    expected_return: float | None = None
    prediction_set: tuple[Action, ...] | None = None
    forecasts: tuple[Forecast, ...] = ()
    predicted_return: float | None = None

    def line(self) -> str:
        """One line for logs and tags: consensus | each model's vote | volatility."""
        votes = [f"{_SHORT_NAMES.get(v.model, v.model)}:{v.action.name} {v.score:.0%}" for v in self.votes]
        votes += [f"{_SHORT_NAMES.get(f.model, f.model)}:{f.predicted_return:+.2%}" for f in self.forecasts]
        votes += [f"{_SHORT_NAMES.get(a.model, a.model)}:ABSTAIN" for a in self.abstentions]
        if self.predicted_return is not None:
            votes.append(f"together:{self.predicted_return:+.2%}")
        volatility = "unknown" if self.volatility is None else f"{self.volatility:.2%}"
        return f"{self.consensus} | {', '.join(votes) or 'no votes'} | vol:{volatility}"

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate signal --json`."""
        from quorate.core.clock import iso_ms

        return {
            "symbol": self.symbol,
            "time": None if self.time is None else iso_ms(self.time),
            "action": self.action.name,
            "confidence": self.confidence,
            "consensus": self.consensus,
            "rule": self.rule,
            "policy": self.policy,
            "mode": self.mode,
            "volatility": self.volatility,
            "probabilities": None if self.probabilities is None else list(self.probabilities),
            "expected_return": self.expected_return,
            "prediction_set": None if self.prediction_set is None else [held.name for held in self.prediction_set],
            **({"predicted_return": self.predicted_return} if self.policy == "stack" else {}),
            "votes": [vote.to_json() for vote in self.votes] + [said.to_json() for said in self.forecasts],
            "abstentions": [abstention.to_json() for abstention in self.abstentions],
            "line": self.line(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class DecisionFrame:
    """The decision on every bar of one market: what `Signal` is for one bar, as arrays over n bars.

    Attributes:
        time: (n,) int64 open times in ms.
        action: (n,) int8, values of Action.
        confidence, base: (n,) float64; 0 where there is no winner.
        consensus, rule: (n,) str, as in Signal.
        volatility: (n,) float64; NaN in warm-up rows.
        scores: model -> (n, 3) float64 in class order; NaN rows where that model abstained.
        synthetic: the candles were made by the synthetic market.
        policy: classic or calibrated: whose rules decided.
        probabilities: (n, 3) the ensemble's own, NaN where no member voted; None until calibrated.
        calibrated: model -> (n, 3) its scores as probabilities, for the members that are calibrated.
        side: (n,) int8, BUY or SELL: what the calibrated policy asked about, whether it acted or not; else None.
        limit: (n,) the prediction set of a bar holds the classes whose 1 - probability is at most this; None without.
        forecasts: member of a stack -> (n,) predicted returns, fractions; NaN where it abstained.
        predicted: (n,) the stack's own; None in a vote.
    """

    symbol: str
    timeframe: str
    time: IntArray
    action: ActionArray
    confidence: FloatArray
    base: FloatArray
    consensus: TextArray
    rule: TextArray
    volatility: FloatArray
    scores: Mapping[str, FloatArray] = field(default_factory=dict)
    synthetic: bool = False
    policy: Policy | Literal["stack"] = "classic"
    probabilities: FloatArray | None = None
    calibrated: Mapping[str, FloatArray] = field(default_factory=dict)
    limit: FloatArray | None = None
    forecasts: Mapping[str, FloatArray] = field(default_factory=dict)
    predicted: FloatArray | None = None
    side: ActionArray | None = None

    def __len__(self) -> int:
        return len(self.time)

    @property
    def probability(self) -> FloatArray | None:
        """(n,) the calibrated probability of each bar's own action; None until calibrated."""
        if self.probabilities is None:
            return None
        return np.asarray(self.probabilities[np.arange(len(self)), self.action])

    def between(self, start: int | None = None, end: int | None = None) -> Self:
        """Bars that open at or after `start` and before `end`, both in ms; views."""
        rows = slice(
            None if start is None else int(np.searchsorted(self.time, start)),
            None if end is None else int(np.searchsorted(self.time, end)),
        )
        names = ("time", "action", "confidence", "base", "consensus", "rule", "volatility")
        columns = {name: getattr(self, name)[rows] for name in names}
        for name in ("probabilities", "limit", "predicted", "side"):
            table = getattr(self, name)
            columns[name] = None if table is None else table[rows]
        for name in ("scores", "calibrated", "forecasts"):
            columns[name] = {model: table[rows] for model, table in getattr(self, name).items()}
        return replace(self, **columns)


def _freeze(message: Any, names: tuple[str, ...], dtype: type[np.generic]) -> None:
    """Replace each named array by a contiguous read-only view of the right dtype."""
    for name in names:
        array = np.ascontiguousarray(getattr(message, name), dtype=dtype)
        if array.ndim != 1:
            raise DataError(f"build {type(message).__name__}", found=f"{name} of shape {array.shape}", expected="(n,)")
        view = array.view()
        view.setflags(write=False)
        object.__setattr__(message, name, view)
