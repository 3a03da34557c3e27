"""The bundle whose decisions in a paper account are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import FloatArray, IntArray
    from quorate.ensemble.bundle.bundle_store import BundleStore
    from quorate.ensemble.bundle.manifest import Manifest
    from quorate.workflows.inputs.predictors import BundleLike


class MeasuredBundle(Protocol):
    """What is needed of a bundle or series: what it was trained for, and what it knew before."""

    @property
    def id(self) -> str: ...
    @property
    def manifest(self) -> Manifest: ...
    def prior_at(self, time: IntArray) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class ManifestOnly:
    """A bundle of which only the manifest was read."""

    manifest: Manifest

    @property
    def id(self) -> str:
        return self.manifest.id

    def prior_at(self, time: IntArray) -> FloatArray:  # noqa: ARG002 - one prior for all bars
        return np.array(self.manifest.class_prior)


def trained_of(bundle: BundleLike, account_bundle: str, settings: Settings) -> MeasuredBundle:
    """The bundle whose decisions are measured.

    Args:
        bundle: a folder of bundles, of which the account's own is taken; or as `load_predictor` takes it.
        account_bundle: id of the bundle of the account's newest session.
        settings: as of `load_predictor`.

    Raises:
        BundleError: missing or altered.
    """
    from quorate.ensemble.bundle.bundle_store import BundleStore
    from quorate.workflows.inputs.predictors import load_predictor

    if isinstance(bundle, str | Path) and (Path(bundle) / account_bundle).is_dir() and account_bundle:
        return ManifestOnly(BundleStore(bundle).manifest(account_bundle))
    return load_predictor(bundle, settings)


def bundle_of(bundle_id: str, loaded: MeasuredBundle, store: BundleStore | None) -> MeasuredBundle:
    """A bundle by its id: the loaded one, or the manifest in a folder of bundles; the loaded one without either.

    Raises:
        BundleError: it cannot be read.
    """
    if bundle_id == loaded.id or store is None or bundle_id not in store.ids():
        return loaded
    return ManifestOnly(store.manifest(bundle_id))
