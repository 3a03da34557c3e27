"""The vote ensemble over somebody else's features: what FreqAI trains, keeps and asks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from quorate.core.errors import ModelError, QuorateError
from quorate.core.settings import Settings, VoteSettings
from quorate.core.types import CLASS_NAMES, ActionArray, Candles, Float32Array, FloatArray, IntArray
from quorate.ensemble.inference.members import Members
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.ensemble.voting.vote_frame import Decisions, decide_frame
from quorate.features import Bars, Inputs, volatility_20
from quorate.models import StoppingRows, build
from quorate.models.runtime import OnnxSession, require_same

_log = logging.getLogger(__name__)

# Rows of the past that a prediction may look back on: windows of members, and the volatility of the gate.
MEMORY = 256

# Rows on which an export must say what the model says.
_PROBE = 512


@dataclass(frozen=True, slots=True, eq=False)
class TrainingFrames:
    """Rows to learn from, by time, then rows to stop by.

    Attributes:
        X: (n, F) float32, finite.
        y: (n,) values of Action.
        time: (n,) int64 open times in ms, increasing.
        weight: (n,) sample weights.
        learned: how many of them, from the first, are learned from.
        stop: the first row to stop by; those between share a label with either side.
    """

    X: Float32Array
    y: ActionArray
    time: IntArray
    weight: FloatArray
    learned: int
    stop: int


@dataclass(eq=False)
class VoteModel:
    """A trained ensemble, as its members' graphs. It can be copied and pickled, as FreqAI does.

    Attributes:
        graphs: member -> ONNX graph, of those that could be trained.
        failures: member -> why it could not.
        columns: F, the number of features.
        timeframe: of the bars.
        policy: of the vote.
        X, time: the newest rows that it learned from.
        candles: the newest candles then.
    """

    graphs: Mapping[str, bytes]
    failures: Mapping[str, str]
    columns: int
    timeframe: str
    policy: VoteSettings
    X: Float32Array
    time: IntArray
    candles: Candles
    classes_: tuple[str, ...] = CLASS_NAMES
    _members: Members | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # Sessions live in this process only. Settings hold a view of a mapping, which no pickle takes.
        policy = {name: getattr(self.policy, name) for name in VoteSettings.__dataclass_fields__}
        policy["weights"] = dict(self.policy.weights)
        return {**self.__dict__, "_members": None, "policy": policy}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "policy": VoteSettings(**state["policy"])})

    def decide(self, X: Float32Array, time: IntArray, candles: Candles) -> tuple[Decisions, FloatArray]:
        """The vote on n bars that follow what it learned from, and the members' mean scores.

        Args:
            X: (n, F) float32; a row with NaN has no votes.
            time: (n,) int64 open times in ms, increasing.
            candles: of these bars at least.

        Returns:
            n decisions, and (n, 3) scores, NaN where no member voted.
        """
        earlier = self.time < time[0] if len(time) else np.zeros(len(self.time), np.bool_)
        past = int(np.count_nonzero(earlier))
        inputs = Inputs(
            np.concatenate([self.X[earlier], X]), np.concatenate([self.time[earlier], time]), self.timeframe
        )
        usable = np.arange(len(inputs.time)) >= past
        scores = {model: rows[past:] for model, rows in self._ready().scores(inputs, usable).items()}
        decided = decide_frame(
            scores, self._volatility(time, candles), policy=self.policy, members=len(self.graphs) + len(self.failures)
        )
        return decided, mean_scores(scores, self.policy)

    def _volatility(self, time: IntArray, candles: Candles) -> FloatArray:
        """(n,) volatility_20, which needs the candles before the first of these bars."""
        before = self.candles.between(end=int(candles.time[0])) if len(candles) else self.candles

        def joined(name: str) -> FloatArray:
            return np.concatenate([getattr(before, name), getattr(candles, name)])

        known = Candles(
            candles.symbol,
            self.timeframe,
            np.concatenate([before.time, candles.time]),
            joined("open"),
            joined("high"),
            joined("low"),
            joined("close"),
            joined("volume"),
        )
        volatility = volatility_20(Bars(known))
        row = np.searchsorted(known.time, time)
        found = np.full(len(time), np.nan)
        inside = row < len(known)
        inside[inside] = known.time[row[inside]] == time[inside]
        found[inside] = volatility[row[inside]]
        return found

    def _ready(self) -> Members:
        if self._members is None:
            sessions = {model: OnnxSession(graph, self.columns, model) for model, graph in self.graphs.items()}
            order = (*self.graphs, *self.failures)
            self._members = Members(order, sessions, self.failures, deadline_ms=1_000.0)
        return self._members


def fit_vote(
    lessons: TrainingFrames, candles: Candles, timeframe: str, models: Sequence[str], settings: Settings
) -> VoteModel:
    """Train every member on the same rows; one that fails abstains and does not lose the others.

    Args:
        lessons: what to learn from.
        candles: the newest of which the gate's volatility looks back on.
        timeframe: of the bars.
        models: registered names.
        settings: of members, vote and training.

    Raises:
        ModelError: fewer than two members could be trained.
    """
    inputs = Inputs(lessons.X, lessons.time, timeframe)
    graphs: dict[str, bytes] = {}
    failures: dict[str, str] = {}
    for name in models:
        try:
            graphs[name] = _fit(name, inputs, lessons, settings)
        except QuorateError as error:
            _log.error("%s abstains: %s", name, error)
            failures[name] = str(error)
    if len(graphs) < min(2, len(models)) or not graphs:
        raise ModelError(
            "train the ensemble",
            found="; ".join(f"{name}: {why}" for name, why in failures.items()) or "no members",
            expected="at least two members",
        )
    return VoteModel(
        graphs=graphs,
        failures=failures,
        columns=lessons.X.shape[1],
        timeframe=timeframe,
        policy=settings.vote,
        X=lessons.X[-MEMORY:],
        time=lessons.time[-MEMORY:],
        candles=candles.tail(MEMORY),
    )


def _fit(name: str, inputs: Inputs, lessons: TrainingFrames, settings: Settings) -> bytes:
    make = partial(build, name, "class", settings.models, seed=settings.train.seed, threads=settings.train.threads)
    model = make()
    whole = inputs.whole(model.window)
    rows = np.flatnonzero(whole[: lessons.learned])
    if not len(rows):
        raise ModelError(f"train {name}", found="no rows with the bars that it reads", expected=f"{model.window} bars")
    later = None
    unseen = lessons.stop + np.flatnonzero(whole[lessons.stop :])
    if model.stops_early and len(unseen):
        later = StoppingRows(inputs.at(unseen, model.window), lessons.y[unseen])
    model.fit(inputs.at(rows, model.window), lessons.y[rows], weight=lessons.weight[rows], stopping=later)
    graph = model.to_onnx()
    probe = rows[np.linspace(0, len(rows) - 1, min(_PROBE // model.window + 1, len(rows)), dtype=np.int64)]
    sample = inputs.at(probe, model.window)
    require_same(model.output(sample), OnnxSession(graph, lessons.X.shape[1], name).run(sample), name)
    return graph
