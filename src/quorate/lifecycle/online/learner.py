"""A bundle whose boosted trees learn on from live bars.

At every bar whose number is a multiple of `online.every_bars`, trees are added to those of the bundle. They are fitted
on the newest rows whose labels have matured: the label of a row is known once its horizon has closed. Every fit begins
at the bundle's own trees again, so the model at a bar depends on the bundle and the newest few hundred bars only. It
neither grows nor has any state that could be lost: after a kill, it is fitted again to the same trees.

Whether that helps is measured by progressive validation, each bar being predicted before its label is learnt from:
that is what a challenge does. Networks, logistic members and the probability maps stay as they were trained.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, cast

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import ArgumentError
from quorate.core.settings import OnlineSettings, Settings
from quorate.core.types import ActionArray, Candles, Float32Array, Signal
from quorate.ensemble.bundle.bundle_files import read_file
from quorate.ensemble.inference import Bundle, Predictor
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.ensemble.recipes import RECIPES
from quorate.features import Bars, build
from quorate.features.rescaled import hide_rescaled
from quorate.lifecycle.bundle_settings import bundle_settings
from quorate.models.model_files import load_bytes
from quorate.models.move_head import with_move_head
from quorate.models.runtime import OnnxSession

if TYPE_CHECKING:
    from quorate.models.trees.boosted_trees import BoostedTrees

_log = logging.getLogger(__name__)

#: Members that learn on.
LEARNS = ("xgboost", "lightgbm")


class OnlineLearner:
    """Decides by a bundle whose trees learn on.

    Args:
        bundle: read from a folder, with at least one member of boosted trees.
        settings: how often, and how far.
        allow_training_span: also decide on bars that trained the bundle.

    Attributes:
        id: of the bundle, with "-online".

    Raises:
        ArgumentError: a series, a stack, a bundle that was not read from a folder or without boosted trees, or features
            that need so many bars that no rows are left to learn from.
        BundleError: a member's file is missing or altered, or settings that this version does not have.
    """

    def __init__(
        self,
        bundle: Predictor,
        settings: OnlineSettings,
        *,
        allow_training_span: bool = False,
    ) -> None:
        attempted = f"learn on from the bundle {bundle.id}"
        if not isinstance(bundle, Bundle) or bundle.stack is not None or bundle.folder is None:
            raise ArgumentError(attempted, found="a series or a stack", expected="the folder of a bundle that votes")
        self._bundle, self._settings = bundle, settings
        self._allow = allow_training_span
        self._length = timeframe_ms(bundle.manifest.timeframe)
        self._target = RECIPES[bundle.manifest.recipe].make_target(bundle.manifest.target)
        # As many bars as are there until the next fit, so that a session that continues learns from the same ones.
        self._bars = LIVE_BARS - settings.every_bars
        if self._bars <= bundle.features.warmup + self._target.horizon:
            raise ArgumentError(
                attempted,
                found=f"{settings.every_bars} bars between two fits, and features that need {bundle.features.warmup}",
                expected=f"fewer than {LIVE_BARS} together",
                remedy="Set online.every_bars lower.",
            )
        self._trained = self._load()
        if not self._trained:
            raise ArgumentError(
                attempted,
                found=f"the members {', '.join(bundle.members.order)}",
                expected=f"one of {', '.join(LEARNS)}",
            )
        self._learnt: tuple[int, Bundle] | None = None

    @property
    def id(self) -> str:
        """Of the bundle, marked."""
        return f"{self._bundle.id}-online"

    def decide(self, markets: Sequence[Candles], now: int) -> list[Signal]:
        """The signals on bars that have just closed, by what was learnt before them.

        Args:
            markets: with a candle that has just closed as the newest.
            now: time of its close in ms.
        """
        learnt = self._learnt_at((now - self._length) // self._length * self._length, markets)
        return learnt.predict_many(markets, now=now, allow_training_span=self._allow)

    def rows(self, markets: Sequence[Candles], bar: int) -> tuple[Float32Array, ActionArray]:
        """What is learnt from at a bar: (n, F) features and (n,) labels that its close has made known.

        Args:
            markets: closed candles; those without this bar are left out.
            bar: open time in ms.
        """
        features = self._bundle.features
        tables, labels = [np.empty((0, len(features.names)), np.float32)], [np.empty(0, np.int8)]
        for candles in sorted(markets, key=lambda market: market.symbol):
            known = candles.between(bar - (self._bars - 1) * self._length, bar + 1)
            if not len(known) or known.time[-1] != bar:
                continue
            X = build(Bars(known), features)
            hide_rescaled(X, Bars(known), known.timeframe, features.warmup)
            found = self._target.label(known)
            whole = found.known & np.isfinite(X).all(axis=1)
            tables.append(X[whole])
            labels.append(found.y[whole].astype(np.int8))
        return np.concatenate(tables), np.concatenate(labels)

    def _learnt_at(self, bar: int, markets: Sequence[Candles]) -> Bundle:
        """The bundle as it has learnt by the newest fit at or before a bar."""
        step = self._settings.every_bars * self._length
        fit = bar // step * step
        if self._learnt is None or self._learnt[0] != fit:
            self._learnt = fit, self._fitted(fit, markets)
        return self._learnt[1]

    def _fitted(self, bar: int, markets: Sequence[Candles]) -> Bundle:
        X, y = self.rows(markets, bar)
        if len(y) < self._settings.least_rows:
            _log.info("%s: %d rows are too few to learn from", format_ms(bar), len(y))
            return self._bundle
        sessions = dict(self._bundle.members.sessions)
        for name, (model, factor) in self._trained.items():
            grown = model.boost_on(X, y, self._settings.trees, self._settings.rate)
            sessions[name] = OnnxSession(with_move_head(grown.to_onnx(), factor, name), X.shape[1], name)
        _log.debug("%s: %s learnt from %d rows", format_ms(bar), ", ".join(self._trained), len(y))
        made = copy(self._bundle)
        made.members = self._bundle.members.with_sessions(sessions)
        return made

    def _load(self) -> dict[str, tuple[BoostedTrees, float]]:
        """Member of boosted trees -> its model as it was trained, and the factor of its direction."""
        from quorate.models.registry import build as build_model

        manifest, folder = self._bundle.manifest, self._bundle.folder
        assert folder is not None  # noqa: S101 - required above
        settings = bundle_settings(manifest, Settings()).models
        heads = manifest.metrics.get("probabilities", {}).get("direction", {})
        found = {}
        for member in manifest.members:
            if member.model in LEARNS and member.native is not None and member.model in self._bundle.members.sessions:
                model = build_model(
                    member.model,
                    "class",
                    settings,
                    seed=manifest.settings["train"]["seed"],
                    threads=1,
                    features=manifest.feature_names,
                )
                model = load_bytes(model, read_file(folder, manifest, member.native))
                factor = float(heads.get(member.model, {}).get("factor", 1.0))
                found[member.model] = cast("BoostedTrees", model), factor
        return found
