"""Contributions of single columns to the members of boosted trees of a bundle."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from quorate.core.types import Float32Array, FloatArray
from quorate.ensemble.bundle import bundle_files
from quorate.ensemble.inference import Bundle
from quorate.lifecycle.explain.explanation import ColumnAttribution
from quorate.models.native_trees.native_files import READERS, read_trees
from quorate.models.native_trees.tree_shap import Paths, leaf_paths

# Of the trees of a few bundles: about 1 MiB each.
_KEPT = 16


def column_attributions(
    bundle: Bundle, models: Iterable[str], row: Float32Array, earlier: Float32Array | None = None
) -> dict[str, ColumnAttribution]:
    """Member -> contributions of the columns, for members of boosted trees whose native file is there.

    Args:
        bundle: loaded from its folder; without one the result is empty.
        models: members that are explained.
        row: (F,) features of the bar.
        earlier: (F,) those of an earlier bar, to explain the change since then.

    Raises:
        BundleError: a native file is missing or altered.
        ModelError: a native file that cannot be read.
    """
    found: dict[str, ColumnAttribution] = {}
    for member in bundle.manifest.members:
        if bundle.folder is None or member.model not in READERS or member.model not in models:
            continue
        paths = _paths(bundle.folder, bundle.manifest.id, member.model)
        base, own = paths.base, paths.contributions(row)
        if earlier is not None:
            before = paths.contributions(earlier)
            base, own = base + before.sum(axis=0), own - before
        found[member.model] = ColumnAttribution(_centred(base), _centred(own))
    return found


@lru_cache(maxsize=_KEPT)
def _paths(folder: Path, bundle_id: str, model: str) -> Paths:
    """Paths of a member's trees; `bundle_id` is a digest of all that they are read from."""
    manifest = bundle_files.read_manifest(folder)
    (native,) = (member.native for member in manifest.members if member.model == model)
    del bundle_id
    return leaf_paths(read_trees(bundle_files.read_file(folder, manifest, native or ""), model))


def _centred(margins: FloatArray) -> FloatArray:
    """(..., C) margins less their mean over the classes; of a single return as they are."""
    return margins if margins.shape[-1] == 1 else margins - np.mean(margins, axis=-1, keepdims=True)
