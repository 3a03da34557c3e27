"""A bundle from its folder: every file checked, every member started that can be."""

from __future__ import annotations

from pathlib import Path

from quorate.core.errors import ModelError
from quorate.core.settings import PredictSettings
from quorate.ensemble import bundle as storage
from quorate.ensemble.calibration import FILE_NAME as CALIBRATION
from quorate.ensemble.calibration import UNCALIBRATED, Calibration
from quorate.ensemble.predictor import Bundle
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.stack import document as stacks
from quorate.ensemble.store import champion_path
from quorate.models.runtime import Session


def load_bundle(path: str | Path, settings: PredictSettings | None = None, policy: str | None = None) -> Bundle:
    """Read, verify and start a bundle.

    Args:
        path: the bundle's folder, or a folder of bundles, whose champion it then is.
        settings: the deadline of live predictions.
        policy: to decide by instead of the bundle's own: classic or calibrated.

    Raises:
        BundleError: no such policy; no bundle there, or one that is altered, incomplete or made for something else.
    """
    manifest, files = storage.read(champion_path(Path(path)))
    sessions: dict[str, Session] = {}
    failures: dict[str, str] = {}
    for member in manifest.members:
        if member.graph is None:
            failures[member.model] = member.failure or "not trained"
            continue
        try:
            sessions[member.model] = Session(files[member.graph], len(manifest.feature_names), member.model)
        except ModelError as error:
            failures[member.model] = str(error)
    attempted = f"load the bundle {path}"
    calibration = (
        Calibration.parse(files[CALIBRATION], manifest.policy, attempted) if CALIBRATION in files else UNCALIBRATED
    )
    stack = None
    if RECIPES[manifest.recipe].task == "return":
        trained = tuple(member.model for member in manifest.members if member.graph is not None)
        stack = stacks.read(files, trained, attempted)
    loaded = Bundle(manifest, sessions, failures, settings, calibration, stack)
    if policy is not None:
        loaded = loaded.by(policy)
    loaded.announce()
    return loaded
