"""What every member promises once it sits in a bundle: `quorate.testing.model_contract`, continued.

    @pytest.mark.parametrize("check", checks("my_member"), ids=str)
    def test_contract(check):
        check()

runs both: the promises of the member alone, and those below, which need candles, training and a bundle.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.settings import ModelSettings, PredictSettings, Settings, TrainSettings
from quorate.core.types import Candles, Signal
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.ensemble.voting.fallback import FALLBACK
from quorate.market.synthetic import SyntheticMarket
from quorate.testing import model_contract as alone
from quorate.testing.model_subject import Check, ModelUnderTest

_BARS, _TRAIN_BARS = 600, 500

# No promise depends on how long the machine takes.
_PATIENCE = PredictSettings(deadline_ms=60_000)


class BundledModel(ModelUnderTest):
    """A member as the only one of a bundle, trained on a small synthetic market.

    Attributes:
        manifest, files: the bundle's.
        candles: one market; its last 100 bars were not trained on.
        now: when the newest of them has closed, ms.
    """

    def __init__(self, name: str, settings: ModelSettings | None = None) -> None:
        super().__init__(name, "class", settings)
        market = SyntheticMarket(seed=4, symbols=1, bars=_BARS, edge=0.3)
        self.candles: Candles = market.candles(market.names[0])
        self.now = int(self.candles.time[-1]) + timeframe_ms(market.timeframe)

    @cached_property
    def _published(self) -> tuple[Manifest, dict[str, bytes]]:
        with tempfile.TemporaryDirectory() as folder:
            trained = train_ensemble(
                {self.candles.symbol: self.candles},
                self.candles.timeframe,
                TrainingSpec(
                    models=(self.name,),
                    settings=replace(Settings(), models=self.settings, train=TrainSettings(threads=1)),
                    end=int(self.candles.time[_TRAIN_BARS]),
                ),
                Path(folder),
            )
            return storage.read(trained.path)

    def bundle(self, spoil: Callable[[bytes], bytes] = lambda graph: graph) -> Bundle:
        """The bundle as loaded from disk, its graph put through `spoil` before it was published."""
        manifest, files = self._published
        graph = f"{self.name}.onnx"
        with tempfile.TemporaryDirectory() as folder:
            path, _ = storage.publish(Path(folder), manifest, {**files, graph: spoil(files[graph])})
            return load_bundle(path, _PATIENCE)


def checks(name: str, settings: ModelSettings | None = None) -> Iterator[Check]:
    """Every promise of the member registered under a name: alone, for both tasks, and in a bundle.

    Args:
        name: as registered.
        settings: smaller than the defaults make it quicker; no promise depends on them.

    Raises:
        ModelError: no such member.
    """
    yield from alone.checks(name, settings)
    seat = BundledModel(name, settings)
    for promise in PROMISES:
        yield Check(promise, seat, f"{name}-bundle")


def votes_once_it_is_trained(s: BundledModel) -> None:
    """Trained, published and loaded it votes, live as in the frame, with the scores of its class as its score."""
    bundle = s.bundle()
    signal = bundle.predict(s.candles, now=s.now)
    s.keep([vote.model for vote in signal.votes] == [s.name], f"votes {signal.votes}", f"one vote of {s.name}")
    vote, frame = signal.votes[0], bundle.predict_frame(s.candles)
    s.keep(vote.scores is not None and vote.score == max(vote.scores), f"{vote}", "the largest of its scores")
    s.keep_same(np.array(vote.scores), frame.scores[s.name][-1], 1e-6, "between live and frame")
    s.keep(vote.probabilities is None, f"probabilities {vote.probabilities}", "none before calibration")


def abstains_without_history(s: BundledModel) -> None:
    """With a feature missing it does not guess."""
    signal = s.bundle().predict(s.candles[-20:], now=s.now)
    _abstained(s, signal, "too little history")


def abstains_when_its_graph_does_not_load(s: BundledModel) -> None:
    """A graph that cannot be loaded is an abstention with its cause, and nobody votes in its name."""
    bundle = s.bundle(lambda graph: graph[: len(graph) // 2])
    s.keep(bundle.status() == {s.name: False}, f"status {bundle.status()}", "not loaded")
    signal = bundle.predict(s.candles, now=s.now)
    _abstained(s, signal, "could not load")
    s.keep(signal.rule == FALLBACK and signal.confidence == 0, signal.line(), "the rules' word, without confidence")
    frame = bundle.predict_frame(s.candles)
    s.keep(bool(np.isnan(frame.scores[s.name]).all()), "scores in the frame", "NaN throughout")


def _abstained(s: BundledModel, signal: Signal, reason: str) -> None:
    told = [one.reason for one in signal.abstentions]
    kept = not signal.votes and len(told) == 1 and reason in told[0]
    s.keep(kept, f"votes {signal.votes}, abstentions {told}", f"one abstention: {reason}")


PROMISES: tuple[Callable[[BundledModel], None], ...] = (
    votes_once_it_is_trained,
    abstains_without_history,
    abstains_when_its_graph_does_not_load,
)
