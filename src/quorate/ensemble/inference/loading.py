"""Loading a bundle: every file is checked, and a session is started for every member."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quorate.core.arguments import TEXT, Kind, path_of, require_types
from quorate.core.errors import BundleError, ModelError
from quorate.core.machine import keep_freed_memory, whole_cores
from quorate.core.sections.bundle import BundleSettings
from quorate.core.sections.features import FeatureSettings
from quorate.core.sections.vote import PredictSettings
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.calibration_file import FILE_NAME as CALIBRATION
from quorate.ensemble.bundle.calibration_file import UNCALIBRATED, Calibration
from quorate.ensemble.bundle.champion_path import champion_path
from quorate.ensemble.bundle.manifest import Manifest, Member
from quorate.ensemble.bundle.trust import read_trusted_manifest
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.recipes import RECIPES
from quorate.features import FeatureSet, feature_set
from quorate.features.own import find_own
from quorate.models.runtime import OnnxSession

# Hashing a file and starting a session release the interpreter's lock.
_THREADS = min(4, whole_cores())


def load_bundle(
    path: str | Path,
    settings: PredictSettings | None = None,
    policy: str | None = None,
    features: FeatureSettings | None = None,
    trust: BundleSettings | None = None,
) -> Bundle:
    """Load a bundle: read it, check every file and start its members.

    Args:
        path: folder of the bundle, or a folder of bundles, whose champion is loaded.
        settings: time limits of the members.
        policy: name of a policy, to replace the bundle's own; None for its own.
        features: Python files with user-defined columns, for a bundle that was trained on such columns.
        trust: keys by one of which the bundle has to be signed, if there are any; None for those of quorate.toml and
            the environment.

    Raises:
        BundleError: no such policy; no bundle there; it is altered, incomplete, not signed by a trusted key or does not
            fit this version; or user-defined columns that it was trained on are missing or have changed.
        FeatureError: a user-defined column fails a check.
    """
    require_types(
        "load a bundle",
        settings=(settings, Kind((PredictSettings,), "a PredictSettings, as settings.predict").optional),
        policy=(policy, TEXT.optional),
        features=(features, Kind((FeatureSettings,), "a FeatureSettings, as settings.features").optional),
        trust=(trust, Kind((BundleSettings,), "a BundleSettings, as settings.bundle").optional),
    )
    folder = champion_path(path_of("load a bundle", "path", path, "the path of a bundle or of a folder of bundles"))
    attempted = f"load the bundle {path}"
    keep_freed_memory()
    manifest = read_trusted_manifest(folder, trust, attempted)
    columns = _load_features(manifest, features or FeatureSettings(), attempted)
    trained = [member for member in manifest.members if member.graph is not None]
    natives, graphs = {member.native for member in trained}, {member.graph for member in trained}
    with ThreadPoolExecutor(_THREADS, "quorate-load") as threads:
        starting = [threads.submit(_start, folder, manifest, member) for member in trained]
        # Native files are not used for inference: they are checked and not kept in memory.
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
    loaded = Bundle(manifest, sessions, failures, settings, calibration, stack, columns, folder)
    if policy is not None:
        loaded = loaded.with_policy(policy)
    loaded.log_status()
    return loaded


def _load_features(manifest: Manifest, settings: FeatureSettings, attempted: str) -> FeatureSet:
    """The feature set of a bundle; user-defined columns must be the same as when it was trained."""
    if not manifest.own_columns:
        return feature_set(manifest.features)
    found = {trained: find_own(trained.name, settings) for trained in manifest.own_columns}
    missing = [trained for trained, own in found.items() if own is None]
    if missing:
        raise BundleError(
            attempted,
            found=f"no column {', '.join(column.name for column in missing)}",
            expected="the columns that the bundle was trained on: "
            + ", ".join(f"{column.name} of {column.module}" for column in missing),
            remedy="Name the Python file in quorate.toml ([features] modules = [...]), or install the package.",
        )
    for trained, own in found.items():
        if own is not None and (own.source.digest, own.source.warmup) != (trained.digest, trained.warmup):
            raise BundleError(
                attempted,
                found=f"the column {trained.name} of {own.source.module} with the digest {own.source.digest[:16]}...",
                expected=f"{trained.digest[:16]}..., as when the bundle was trained",
                remedy=f"Restore {trained.module} as it was, or train again. Then restart the process: "
                "it reads the file only once.",
            )
    return feature_set(manifest.features, settings)


def _start(folder: Path, manifest: Manifest, member: Member) -> OnnxSession | ModelError:
    """Session of a member, or the error that kept it from starting."""
    graph = storage.read_file(folder, manifest, member.graph or "")
    try:
        return OnnxSession(graph, len(manifest.feature_names), member.model)
    except ModelError as error:
        return error
