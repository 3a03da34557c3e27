"""Members that learn on: read from the native files of a bundle, updated, and made into sessions.

Trees: some are added to those of the bundle. Every update begins at the bundle's own trees again, since trees that were
added could not be changed any more and their number would grow. Networks: a few optimiser steps at a low rate, by the
one training loop, from the weights that they have reached; scales and class shares stay, as in every warm start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from quorate.core.errors import BundleError
from quorate.core.sections.online import ONLINE_NETWORKS, ONLINE_TREES
from quorate.core.settings import OnlineSettings, Settings
from quorate.core.types import ActionArray, Float32Array
from quorate.ensemble.bundle.bundle_files import read_file
from quorate.ensemble.inference import Bundle
from quorate.lifecycle.bundle_settings import bundle_settings
from quorate.models.model_files import load_bytes, native_bytes
from quorate.models.move_head import shrink_direction, with_move_head
from quorate.models.runtime import OnnxSession, require_same

if TYPE_CHECKING:
    from quorate.models import Model
    from quorate.models.trees.boosted_trees import BoostedTrees

# Rows on which a graph is compared with its model.
_COMPARED = 64


@dataclass(frozen=True, slots=True, eq=False)
class OnlineMember:
    """A member that learns on.

    Attributes:
        model: fitted.
        factor: of the direction in its move head, fitted when the bundle was trained.
    """

    model: Model
    factor: float

    @property
    def name(self) -> str:
        """Registered name of the model."""
        return self.model.name

    @property
    def is_network(self) -> bool:
        """Whether it keeps what it has learnt; trees begin at those of the bundle at every update."""
        return self.name in ONLINE_NETWORKS

    @property
    def native(self) -> bytes:
        """The bytes of its native file."""
        return native_bytes(self.model)

    def restored(self, content: bytes) -> OnlineMember:
        """The member as it was saved.

        Raises:
            ModelError: bytes of another format or shape.
        """
        return replace(self, model=load_bytes(_unfitted(self.model), content))

    def with_trees(self, X: Float32Array, y: ActionArray, settings: OnlineSettings) -> OnlineMember:
        """Boosted trees with more of them.

        Args:
            X: (n, F) rows.
            y: (n,) labels.
            settings: how many, and at what rate.

        Raises:
            ModelError: as of `BoostedTrees.boost_on`.
        """
        trees = cast("BoostedTrees", self.model)
        return replace(self, model=trees.boost_on(X, y, settings.trees, settings.rate))

    def with_steps(self, X: Float32Array, y: ActionArray, settings: OnlineSettings, seed: int) -> OnlineMember:
        """A network after a few steps.

        Args:
            X: (n, L, F) windows.
            y: (n,) labels.
            settings: passes over the windows, and the rate.
            seed: of the order and of dropout.

        Raises:
            ModelError: a loss that is not finite, or windows that do not fit.
        """
        model, name = self.model, self.name
        own = replace(
            getattr(model.settings, name),
            warm_epochs=settings.passes,
            warm_share=1.0,
            warm_rate=settings.network_rate,
            schedule="constant",
            keep="last",
        )
        taught = _unfitted(model, replace(model.settings, **{name: own}), seed)
        taught.fit(X, y, start=model)
        # Its file describes the network and how it was trained, which are the bundle's.
        taught.settings = model.settings
        return replace(self, model=taught)

    def graph(self) -> bytes:
        """Its ONNX graph with the move head."""
        return with_move_head(self.model.to_onnx(), self.factor, self.name)

    def require_same_scores(self, session: OnnxSession, sample: Float32Array) -> None:
        """Require of a session of its graph the scores of the model.

        Args:
            session: of `graph`.
            sample: (n, F) or (n, L, F) rows, of which some are compared, with windows of L bars or more.

        Raises:
            ModelError: other scores.
        """
        few = sample[:_COMPARED]
        if few.ndim == 3:
            few = newest_of(few, self.model.window)
        if len(few):
            require_same(shrink_direction(self.model.output(few), self.factor), session.run(few), self.name)


def read_members(bundle: Bundle, wanted: tuple[str, ...]) -> dict[str, OnlineMember]:
    """Name -> member that learns on, as the bundle was trained.

    Args:
        bundle: read from a folder.
        wanted: names; members that the bundle does not have, or that could not be trained, are left out.

    Raises:
        BundleError: a native file is missing, altered or unreadable, or settings that this version does not have.
        MissingExtraError: the library of a member is not installed.
    """
    from quorate.models.registry import build

    manifest, folder = bundle.manifest, bundle.folder
    if folder is None:
        return {}
    settings = bundle_settings(manifest, Settings())
    heads = manifest.metrics.get("probabilities", {}).get("direction", {})
    found = {}
    for member in manifest.members:
        name = member.model
        if name not in wanted or name not in bundle.members.sessions:
            continue
        if member.native is None:
            raise BundleError(
                f"learn on from the bundle {manifest.id}",
                found=f"no native file of {name}",
                expected="a file with its trees or weights",
                remedy=f"Leave {name} out of the setting online.members, or train the bundle again.",
            )
        model = build(
            name, "class", settings.models, seed=settings.train.seed, threads=1, features=manifest.feature_names
        )
        model = load_bytes(model, read_file(folder, manifest, member.native))
        found[name] = OnlineMember(model, float(heads.get(name, {}).get("factor", 1.0)))
    return found


def window_of(members: dict[str, OnlineMember]) -> int:
    """Bars of the longest window of the networks; 1 without networks."""
    return max((member.model.window for member in members.values() if member.name not in ONLINE_TREES), default=1)


def joined(
    new: tuple[Float32Array, ActionArray], old: tuple[Float32Array, ActionArray], window: int
) -> tuple[Float32Array, ActionArray]:
    """New windows and old ones, shortened to the newest `window` bars of each, with their labels."""
    return newest_of(np.concatenate([new[0], old[0]]), window), np.concatenate([new[1], old[1]])


def newest_of(X: Float32Array, window: int) -> Float32Array:
    """The newest bars of (n, L, F) windows as a member of this window takes them: (n, window, F), or (n, F) for 1."""
    return np.ascontiguousarray(X[:, -1] if window == 1 else X[:, -window:])


def _unfitted(model: Model, settings: object = None, seed: int | None = None) -> Model:
    """A model of the same kind, with other settings and seed if given."""
    from quorate.core.settings import ModelSettings

    own = settings if isinstance(settings, ModelSettings) else model.settings
    made = type(model)(model.task, own, seed=model.seed if seed is None else seed, threads=model.threads)
    made.feature_names = model.feature_names
    return made
