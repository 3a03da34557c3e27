"""Requirements of every model in a bundle: it votes after training, and abstains where it cannot."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.settings import BundleSettings, ModelSettings, PredictSettings, Settings, TrainSettings
from quorate.core.types import Candles, Signal
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.ensemble.voting.fallback import FALLBACK
from quorate.features import feature_names
from quorate.market.synthetic import SyntheticMarket
from quorate.testing import model_contract
from quorate.testing.contract_check import Check
from quorate.testing.model_under_test import ModelUnderTest

_BARS, _TRAIN_BARS = 600, 500

# No requirement depends on the speed of the machine.
_LONG_DEADLINE = PredictSettings(deadline_ms=60_000)


class BundledModel(ModelUnderTest):
    """A model as the only member of a bundle, trained on a small synthetic market.

    Args:
        name: as registered.
        settings: of models; None for the defaults.

    Attributes:
        candles: one market; its last 100 bars are not trained on.
        now: close time of the newest of them, ms.
    """

    def __init__(self, name: str, settings: ModelSettings | None = None) -> None:
        super().__init__(name, "class", settings)
        self.title = f"{name}-bundle"
        market = SyntheticMarket(seed=4, symbols=1, bars=_BARS, edge=0.3)
        self.candles: Candles = market.candles(market.names[0])
        self.now = int(self.candles.time[-1]) + timeframe_ms(market.timeframe)

    @property
    def _train(self) -> TrainSettings:
        """Settings with a feature set that has the columns which the model reads by name."""
        plain = TrainSettings(threads=1)
        missing = [name for name in self.member.reads if name not in feature_names(plain.features)]
        return replace(plain, features="+".join([plain.features, *missing]))

    @cached_property
    def _published(self) -> tuple[Manifest, dict[str, bytes]]:
        with tempfile.TemporaryDirectory() as folder:
            trained = train_ensemble(
                {self.candles.symbol: self.candles},
                self.candles.timeframe,
                TrainingSpec(
                    models=(self.name,),
                    settings=replace(Settings(), models=self.settings, train=self._train),
                    end=int(self.candles.time[_TRAIN_BARS]),
                ),
                Path(folder),
            )
            return storage.read(trained.path)

    def bundle(self, change: Callable[[bytes], bytes] = lambda graph: graph) -> Bundle:
        """The bundle as loaded from disk, with its graph changed by `change` before publication."""
        manifest, files = self._published
        graph = f"{self.name}.onnx"
        with tempfile.TemporaryDirectory() as folder:
            path, _ = storage.publish(Path(folder), manifest, {**files, graph: change(files[graph])})
            return load_bundle(path, _LONG_DEADLINE, trust=BundleSettings())


def model_checks(name: str, settings: ModelSettings | None = None) -> list[Check]:
    """Every requirement of the model registered under a name: alone, for both tasks, and in a bundle.

    Args:
        name: as registered.
        settings: of models; smaller ones than the defaults make the checks faster.

    Raises:
        ModelError: no such model.
    """
    bundled = BundledModel(name, settings)
    in_a_bundle = [Check(requirement, bundled) for requirement in REQUIREMENTS]
    return [*model_contract.checks(name, settings), *in_a_bundle]


def votes_after_training(s: BundledModel) -> None:
    """Trained, published and loaded, it votes, live as in the frame, with the score of its class as score."""
    bundle = s.bundle()
    signal = bundle.predict(s.candles, now=s.now)
    s.require([vote.model for vote in signal.votes] == [s.name], f"votes {signal.votes}", f"one vote of {s.name}")
    vote, frame = signal.votes[0], bundle.predict_frame(s.candles)
    s.require(vote.scores is not None and vote.score == vote.scores[vote.action], f"{vote}", "the score of its class")
    s.require_equal(np.array(vote.scores), frame.scores[s.name][-1], 1e-6, "between live and frame")
    s.require(vote.probabilities is None, f"probabilities {vote.probabilities}", "none before calibration")


def abstains_without_history(s: BundledModel) -> None:
    """With a missing feature it abstains."""
    signal = s.bundle().predict(s.candles[-20:], now=s.now)
    _abstained(s, signal, "too little history")


def abstains_when_its_graph_cannot_be_loaded(s: BundledModel) -> None:
    """A model whose graph cannot be loaded abstains with the cause, and the bundle falls back to the rules."""
    bundle = s.bundle(lambda graph: graph[: len(graph) // 2])
    s.require(bundle.status() == {s.name: False}, f"status {bundle.status()}", "not loaded")
    signal = bundle.predict(s.candles, now=s.now)
    _abstained(s, signal, "could not load")
    s.require(
        signal.rule == FALLBACK and signal.confidence == 0, signal.line(), "the fallback rules, without confidence"
    )
    frame = bundle.predict_frame(s.candles)
    s.require(bool(np.isnan(frame.scores[s.name]).all()), "scores in the frame", "NaN throughout")


def _abstained(s: BundledModel, signal: Signal, reason: str) -> None:
    reasons = [abstention.reason for abstention in signal.abstentions]
    abstained = not signal.votes and len(reasons) == 1 and reason in reasons[0]
    s.require(abstained, f"votes {signal.votes}, abstentions {reasons}", f"one abstention: {reason}")


REQUIREMENTS: tuple[Callable[[BundledModel], None], ...] = (
    votes_after_training,
    abstains_without_history,
    abstains_when_its_graph_cannot_be_loaded,
)
