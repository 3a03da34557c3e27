"""Files about a bundle that are written after its training: in a folder beside the bundles, one file a bundle."""

from __future__ import annotations

from pathlib import Path

from quorate.ensemble.bundle.manifest import FILE_NAME as MANIFEST
from quorate.ensemble.series.series_file import FILE_NAME as SERIES


def beside_bundles(bundles: Path, folder: str, bundle_id: str) -> Path:
    """The file of a bundle in a folder beside the bundles, <bundles>/<folder>/<id>.json.

    Args:
        bundles: what users name: a folder of bundles, or the folder of a bundle or series in it.
        folder: name of the folder of such files.
        bundle_id: of the bundle.
    """
    inside = (bundles / MANIFEST).exists() or (bundles / SERIES).exists()
    return (bundles.parent if inside else bundles) / folder / f"{bundle_id}.json"
