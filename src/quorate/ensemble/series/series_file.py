"""Files of a series: a folder beside its bundles, with a file that lists them.

<out>/<id>/                     a bundle
      series-<id>/series.json   the bundles of a series, oldest first, and their training spans

The id is a hash of the content, so that training the same series again has no effect.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from quorate.core.clock import iso_ms
from quorate.core.errors import BundleError, DataError
from quorate.core.files import write_text_atomic
from quorate.core.sections.bundle import BundleSettings
from quorate.core.sections.features import FeatureSettings
from quorate.core.sections.vote import PredictSettings
from quorate.core.untrusted_json import read_json
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.bundle.trust import configured_trust, read_trusted_manifest
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.protocol import Predictor
from quorate.ensemble.series.series import BundleSeries, first_decided_bar, require_same_settings

FILE_NAME = "series.json"
SCHEMA_VERSION = 1

_PREFIX = "series-"


def publish(store: BundleStore, ids: Sequence[str]) -> tuple[Path, str]:
    """Publish bundles of a store as a series.

    Args:
        store: of the bundles.
        ids: of the bundles, in any order.

    Returns:
        The series' folder and its id.

    Raises:
        BundleError: no such bundle, the bundles do not form a series, or the folder cannot be written.
    """
    manifests = sorted((store.manifest(name) for name in ids), key=lambda manifest: manifest.training_end)
    require_same_settings(manifests, f"make a series of {len(ids)} bundles of {store.folder}")
    tree = _tree(manifests)
    name = _digest(tree)
    path = store.folder / f"{_PREFIX}{name}"
    try:
        write_text_atomic(path / FILE_NAME, _dump({"id": name, **tree}))
    except DataError as error:
        raise BundleError(f"publish a series in {store.folder}", found=error.found, expected=error.expected) from error
    return path, name


def load_series(
    path: str | Path,
    settings: PredictSettings | None = None,
    policy: str | None = None,
    features: FeatureSettings | None = None,
    trust: BundleSettings | None = None,
) -> BundleSeries:
    """Load a series. Its bundles are loaded when a bar first needs them.

    Args:
        path: folder of the series, as published by `quorate train --rolling`.
        settings: deadline of live predictions.
        policy: classic or calibrated, to replace each bundle's own; None for their own.
        features: Python files with user-defined columns, for bundles that were trained on such columns.
        trust: keys by one of which every bundle has to be signed, if there are any; see `load_bundle`.

    Raises:
        BundleError: there is no series, it is altered, or its bundles are missing or do not belong together.
    """
    path = Path(path)
    attempted = f"load the series {path}"
    tree = _read(path / FILE_NAME, attempted)
    store = BundleStore(path.parent)
    trust = configured_trust(trust)  # once for all bundles
    manifests = [read_trusted_manifest(store.path(one["id"]), trust, attempted) for one in tree["bundles"]]
    if [manifest.id for manifest in manifests] != [one["id"] for one in tree["bundles"]]:
        raise BundleError(
            attempted, found="a bundle with another id than its folder", expected="the series as published"
        )
    expected = _tree(sorted(manifests, key=lambda manifest: manifest.training_end)) if manifests else {"bundles": []}
    if expected != {key: value for key, value in tree.items() if key != "id"} or tree["id"] != _digest(expected):
        raise BundleError(
            attempted,
            found=f"a {FILE_NAME} that does not match its bundles",
            expected="the series as published",
            remedy="Restore it from a copy, or train it again.",
        )
    start = partial(load_bundle, settings=settings, features=features, trust=trust)
    series = BundleSeries(tree["id"], manifests, lambda name: start(store.path(name)))
    return series if policy is None else series.with_policy(policy)


def load(
    path: str | Path,
    settings: PredictSettings | None = None,
    policy: str | None = None,
    features: FeatureSettings | None = None,
    trust: BundleSettings | None = None,
) -> Predictor:
    """Load a bundle, the champion of a folder of bundles, or a series.

    Raises:
        BundleError, FeatureError: as `load_bundle` and `load_series`.
    """
    read = load_series if is_series(path) else load_bundle
    return read(path, settings, policy, features, trust)


def series_bundles(folder: Path) -> frozenset[str]:
    """Ids of all bundles that a series in a folder of bundles has.

    Raises:
        BundleError: a series that cannot be read.
    """
    trees = [_read(path, f"read the series {path.parent}") for path in sorted(folder.glob(f"{_PREFIX}*/{FILE_NAME}"))]
    return frozenset(one["id"] for tree in trees for one in tree["bundles"])


def is_series(path: str | Path) -> bool:
    """Whether the path is the folder of a series."""
    return (Path(path) / FILE_NAME).exists()


def _tree(manifests: Sequence[Manifest]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "bundles": [
            {
                "id": manifest.id,
                "training_span": {"from": iso_ms(manifest.training_start), "to": iso_ms(manifest.training_end)},
                "speaks_from": iso_ms(first_decided_bar(manifest)),
            }
            for manifest in manifests
        ],
    }


def _read(path: Path, attempted: str) -> dict[str, Any]:
    try:
        tree = read_json(path)
    except OSError as error:
        raise BundleError(
            attempted,
            found=error.strerror or str(error),
            expected="a folder that `quorate train --rolling` published",
        ) from error
    except ValueError as error:
        raise BundleError(
            attempted, found=f"invalid JSON ({error})", expected=f"the {FILE_NAME} as published"
        ) from error
    if not isinstance(tree, dict) or tree.get("schema_version") != SCHEMA_VERSION:
        found = tree.get("schema_version") if isinstance(tree, dict) else tree
        raise BundleError(attempted, found=f"schema version {found!r}", expected=f"version {SCHEMA_VERSION}")
    bundles = tree.get("bundles")
    complete = isinstance(bundles, list) and all(
        isinstance(one, dict) and isinstance(one.get("id"), str) for one in bundles
    )
    if not complete or not isinstance(tree.get("id"), str):
        raise BundleError(attempted, found="an incomplete series", expected="an id, and the ids of its bundles")
    return tree


def _digest(tree: dict[str, Any]) -> str:
    return hashlib.sha256(_dump(tree).encode()).hexdigest()[:16]


def _dump(tree: dict[str, Any]) -> str:
    return json.dumps(tree, indent=1, allow_nan=False) + "\n"
