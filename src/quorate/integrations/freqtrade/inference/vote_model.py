"""Vote ensemble over FreqAI's features, trained in FreqAI's windows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quorate.core.errors import ModelError, QuorateError
from quorate.core.settings import PredictSettings, Settings, VoteSettings
from quorate.core.types import ActionArray, Candles, Float32Array, FloatArray, IntArray
from quorate.ensemble.inference.members import Members
from quorate.ensemble.voting.any_policy import policy_named
from quorate.ensemble.voting.calibrated_policy import CALIBRATED
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.ensemble.voting.vote_frame import Decisions, decide_frame
from quorate.features import Bars, Inputs, volatility_20
from quorate.models import StoppingRows, build
from quorate.models.runtime import OnnxSession, require_same

_log = logging.getLogger(__name__)

# Training rows kept for predictions: the windows of members and the volatility need the bars before the first one.
_HISTORY = 256

# Rows on which an exported graph is compared with its model.
_CHECKED_ROWS = 512


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRows:
    """Rows of one training window: those to fit on, then those for early stopping.

    Attributes:
        X: (n, F) float32, finite.
        y: (n,) int8, values of Action.
        time: (n,) int64 open times in ms, increasing.
        weight: (n,) sample weights.
        train_end: members are fitted on the rows before this one.
        stopping_start: first row for early stopping; the labels of the rows between overlap with both parts.
    """

    X: Float32Array
    y: ActionArray
    time: IntArray
    weight: FloatArray
    train_end: int
    stopping_start: int


@dataclass(eq=False)
class VoteModel:
    """A trained ensemble, held as the ONNX graphs of its members; FreqAI pickles it.

    Attributes:
        graphs: member -> ONNX graph, of those that were trained.
        failures: member -> error of its training.
        columns: F, the number of features.
        timeframe: of the bars.
        policy: settings of the vote.
        decides: name of the policy: classic, consensus or closed.
        X, time: the newest training rows.
        candles: the newest candles at training time.
    """

    graphs: Mapping[str, bytes]
    failures: Mapping[str, str]
    columns: int
    timeframe: str
    policy: VoteSettings
    X: Float32Array
    time: IntArray
    candles: Candles
    decides: str = "classic"
    _members: Members | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # Inference sessions and the settings' view of a mapping cannot be pickled.
        return {**self.__dict__, "_members": None, "policy": self.policy.to_json()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "policy": VoteSettings(**state["policy"])})

    def decide(self, X: Float32Array, time: IntArray, candles: Candles) -> tuple[Decisions, FloatArray]:
        """Decide on n bars after the training rows.

        Args:
            X: (n, F) float32; a row with NaN has no votes.
            time: (n,) int64 open times in ms, increasing.
            candles: of at least these bars.

        Returns:
            n decisions, and (n, 3) mean scores of the members, NaN where none voted.
        """
        earlier = self.time < time[0] if len(time) else np.zeros(len(self.time), np.bool_)
        past = int(np.count_nonzero(earlier))
        inputs = Inputs(
            np.concatenate([self.X[earlier], X]), np.concatenate([self.time[earlier], time]), self.timeframe
        )
        usable = np.arange(len(inputs.time)) >= past
        scores = {model: rows[past:] for model, rows in self._loaded_members().scores(inputs, usable).items()}
        decided = decide_frame(
            scores,
            self._volatility(time, candles),
            policy=policy_named(self.decides, self.policy),
            members=len(self.graphs) + len(self.failures),
        )
        return decided, mean_scores(scores, self.policy)

    def _volatility(self, time: IntArray, candles: Candles) -> FloatArray:
        """(n,) volatility_20; its window also needs the candles before the first of these bars."""
        before = self.candles.between(end=int(candles.time[0])) if len(candles) else self.candles

        def concatenated(name: str) -> FloatArray:
            return np.concatenate([getattr(before, name), getattr(candles, name)])

        joined = Candles(
            candles.symbol,
            self.timeframe,
            np.concatenate([before.time, candles.time]),
            concatenated("open"),
            concatenated("high"),
            concatenated("low"),
            concatenated("close"),
            concatenated("volume"),
        )
        volatility = volatility_20(Bars(joined))
        row = np.searchsorted(joined.time, time)
        found = np.full(len(time), np.nan)
        present = row < len(joined)
        present[present] = joined.time[row[present]] == time[present]
        found[present] = volatility[row[present]]
        return found

    def _loaded_members(self) -> Members:
        if self._members is None:
            sessions = {model: OnnxSession(graph, self.columns, model) for model, graph in self.graphs.items()}
            order = (*self.graphs, *self.failures)
            self._members = Members(order, sessions, self.failures, PredictSettings(deadline_ms=1_000.0))
        return self._members


def fit_vote(
    rows: TrainingRows, candles: Candles, timeframe: str, models: Sequence[str], settings: Settings
) -> VoteModel:
    """Train every member on the same rows; a member whose training fails is logged and abstains.

    Args:
        rows: of the training window.
        candles: of the window; the newest are kept for the volatility.
        timeframe: of the bars.
        models: registered names.
        settings: of members, vote and training.

    Raises:
        ModelError: fewer than two members were trained.
    """
    inputs = Inputs(rows.X, rows.time, timeframe)
    graphs: dict[str, bytes] = {}
    failures: dict[str, str] = {}
    for name in models:
        try:
            graphs[name] = _fit(name, inputs, rows, settings)
        except QuorateError as error:
            _log.error("%s abstains: %s", name, error)
            failures[name] = str(error)
    if len(graphs) < min(2, len(models)) or not graphs:
        raise ModelError(
            "train the ensemble",
            found="; ".join(f"{name}: {error}" for name, error in failures.items()) or "no members",
            expected="at least two members",
        )
    return VoteModel(
        graphs=graphs,
        failures=failures,
        columns=rows.X.shape[1],
        timeframe=timeframe,
        policy=settings.vote,
        X=rows.X[-_HISTORY:],
        time=rows.time[-_HISTORY:],
        candles=candles.tail(_HISTORY),
        decides=_policy(settings),
    )


def _policy(settings: Settings) -> str:
    """The policy of the settings, as far as it needs no rows for calibration, which FreqAI does not hold out."""
    name = settings.freqtrade.policy or settings.policy.name
    if name == CALIBRATED:
        _log.warning("FreqAI holds out no rows for calibration: the policy is classic, not %s", name)
    return "classic" if name in ("chosen", CALIBRATED) else name


def _fit(name: str, inputs: Inputs, given: TrainingRows, settings: Settings) -> bytes:
    model = build(name, "class", settings.models, seed=settings.train.seed, threads=settings.train.threads)
    complete = inputs.whole(model.window)
    rows = np.flatnonzero(complete[: given.train_end])
    if not len(rows):
        raise ModelError(
            f"train {name}", found="no row with a complete window of bars", expected=f"{model.window} bars in a row"
        )
    stopping = None
    later = given.stopping_start + np.flatnonzero(complete[given.stopping_start :])
    if model.stops_early and len(later):
        stopping = StoppingRows(inputs.at(later, model.window), given.y[later])
    model.fit(inputs.at(rows, model.window), given.y[rows], weight=given.weight[rows], stopping=stopping)
    graph = model.to_onnx()
    count = min(_CHECKED_ROWS // model.window + 1, len(rows))
    sample = inputs.at(rows[np.linspace(0, len(rows) - 1, count, dtype=np.int64)], model.window)
    require_same(model.output(sample), OnnxSession(graph, given.X.shape[1], name).run(sample), name)
    return graph
