"""The bundle that a path means."""

from __future__ import annotations

from pathlib import Path

from quorate.ensemble.bundle.bundle_store import POINTER, BundleStore
from quorate.ensemble.bundle.manifest import FILE_NAME


def champion_path(path: Path) -> Path:
    """Folder of the bundle at a path: the path itself, or the champion's if it is a folder of bundles.

    Raises:
        BundleError: the champion's pointer names no bundle.
    """
    if (path / FILE_NAME).exists() or not (path / POINTER).exists():
        return path
    store = BundleStore(path)
    champion = store.champion()
    return path if champion is None else store.path(champion)
