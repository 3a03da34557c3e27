"""A bundle from its folder: every file checked, every member started that can be."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quorate.core.errors import ModelError
from quorate.core.sections.vote import PredictSettings
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.bundle_store import champion_path
from quorate.ensemble.bundle.calibration_file import FILE_NAME as CALIBRATION
from quorate.ensemble.bundle.calibration_file import UNCALIBRATED, Calibration
from quorate.ensemble.bundle.manifest import Manifest, Member
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.recipes import RECIPES
from quorate.models.runtime import OnnxSession

# Hashing a file and starting a session let go of the interpreter's lock.
_THREADS = min(4, os.cpu_count() or 1)


def load_bundle(path: str | Path, settings: PredictSettings | None = None, policy: str | None = None) -> Bundle:
    """Read, verify and start a bundle.

    Args:
        path: the bundle's folder, or a folder of bundles, whose champion it then is.
        settings: the deadline of live predictions.
        policy: to decide by instead of the bundle's own: classic or calibrated.

    Raises:
        BundleError: no such policy; no bundle there, or one that is altered, incomplete or made for something else.
    """
    folder = champion_path(Path(path))
    manifest = storage.read_manifest(folder)
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
    attempted = f"load the bundle {path}"
    calibration = (
        Calibration.parse(files[CALIBRATION], manifest.policy, attempted) if CALIBRATION in files else UNCALIBRATED
    )
    stack = None
    if RECIPES[manifest.recipe].task == "return":
        from quorate.ensemble.stack import stack_files as stacks

        stack = stacks.read(files, tuple(member.model for member in trained), attempted)
    loaded = Bundle(manifest, sessions, failures, settings, calibration, stack)
    if policy is not None:
        loaded = loaded.by(policy)
    loaded.announce()
    return loaded


def _start(folder: Path, manifest: Manifest, member: Member) -> OnnxSession | ModelError:
    """A member ready to predict, or why it is not."""
    graph = storage.read_file(folder, manifest, member.graph or "")
    try:
        return OnnxSession(graph, len(manifest.feature_names), member.model)
    except ModelError as error:
        return error
