"""A bundle from its folder: every file checked, every member started that can be."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quorate.core.errors import BundleError, ModelError
from quorate.core.sections.features import FeatureSettings
from quorate.core.sections.vote import PredictSettings
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.bundle_store import champion_path
from quorate.ensemble.bundle.calibration_file import FILE_NAME as CALIBRATION
from quorate.ensemble.bundle.calibration_file import UNCALIBRATED, Calibration
from quorate.ensemble.bundle.manifest import Manifest, Member
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.recipes import RECIPES
from quorate.features import FeatureSet, feature_set
from quorate.features.own import find_own
from quorate.models.runtime import OnnxSession

# Hashing a file and starting a session let go of the interpreter's lock.
_THREADS = min(4, os.cpu_count() or 1)


def load_bundle(
    path: str | Path,
    settings: PredictSettings | None = None,
    policy: str | None = None,
    features: FeatureSettings | None = None,
) -> Bundle:
    """Read, verify and start a bundle.

    Args:
        path: the bundle's folder, or a folder of bundles, whose champion it then is.
        settings: the deadline of live predictions.
        policy: to decide by instead of the bundle's own: classic or calibrated.
        features: files with columns of your own, for a bundle that was trained on them.

    Raises:
        BundleError: no such policy; no bundle there, or one that is altered, incomplete or made for something else;
            columns of a user's own that it was trained on are missing here, or their source has changed.
        FeatureError: such a column fails a check.
    """
    folder = champion_path(Path(path))
    manifest, attempted = storage.read_manifest(folder), f"load the bundle {path}"
    wanted = _features(manifest, features or FeatureSettings(), attempted)
    trained = [member for member in manifest.members if member.graph is not None]
    natives, graphs = {member.native for member in trained}, {member.graph for member in trained}
    with ThreadPoolExecutor(_THREADS, "quorate-load") as threads:
        starting = [threads.submit(_start, folder, manifest, member) for member in trained]
        # What training wrote for itself is checked and not held.
        checking = [
            threads.submit(storage.check_file, folder, manifest, name) for name in manifest.files if name in natives
        ]
        others = [name for name in manifest.files if name not in natives | graphs]
        files = {name: storage.read_file(folder, manifest, name) for name in others}
        for check in checking:
            check.result()
        started = {member.model: start.result() for member, start in zip(trained, starting, strict=True)}
    sessions = {model: found for model, found in started.items() if isinstance(found, OnnxSession)}
    failures = {member.model: member.failure or "not trained" for member in manifest.members if member.graph is None}
    failures |= {model: str(found) for model, found in started.items() if isinstance(found, ModelError)}
    calibration = (
        Calibration.parse(files[CALIBRATION], manifest.policy, attempted) if CALIBRATION in files else UNCALIBRATED
    )
    stack = None
    if RECIPES[manifest.recipe].task == "return":
        from quorate.ensemble.stack import stack_files as stacks

        stack = stacks.read(files, tuple(member.model for member in trained), attempted)
    loaded = Bundle(manifest, sessions, failures, settings, calibration, stack, wanted)
    if policy is not None:
        loaded = loaded.by(policy)
    loaded.announce()
    return loaded


def _features(manifest: Manifest, settings: FeatureSettings, attempted: str) -> FeatureSet:
    """What the members read, its columns of a user's own as they were when the bundle was trained."""
    if not manifest.own_columns:
        return feature_set(manifest.features)
    found = {trained: find_own(trained.name, settings) for trained in manifest.own_columns}
    missing = [trained for trained, own in found.items() if own is None]
    if missing:
        raise BundleError(
            attempted,
            found=f"no column {', '.join(column.name for column in missing)} here",
            expected="the columns that it was trained on: "
            + ", ".join(f"{column.name} of {column.module}" for column in missing),
            remedy="Name the Python file in quorate.toml ([features] modules = [...]), or install the package.",
        )
    for trained, own in found.items():
        if own is not None and (own.source.digest, own.source.warmup) != (trained.digest, trained.warmup):
            raise BundleError(
                attempted,
                found=f"the column {trained.name} of {own.source.module} with the digest {own.source.digest[:16]}...",
                expected=f"{trained.digest[:16]}..., as when it was trained",
                remedy=f"Restore {trained.module} as it was, or train again. After a change, restart the process: "
                "it keeps the file as it read it first.",
            )
    return feature_set(manifest.features, settings)


def _start(folder: Path, manifest: Manifest, member: Member) -> OnnxSession | ModelError:
    """A member ready to predict, or why it is not."""
    graph = storage.read_file(folder, manifest, member.graph or "")
    try:
        return OnnxSession(graph, len(manifest.feature_names), member.model)
    except ModelError as error:
        return error
