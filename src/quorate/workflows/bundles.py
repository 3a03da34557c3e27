"""List, show and verify the bundles of a folder, and change the champion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from quorate.core.errors import BundleError, QuorateError
from quorate.core.progress import Progress, silent
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.workflows.results.bundle_details import BundleDetails
from quorate.workflows.results.bundle_list import BundleList, BundleSummary
from quorate.workflows.results.bundle_verification import BundleVerification, Verification
from quorate.workflows.results.champion_change import ChampionChange

if TYPE_CHECKING:
    from quorate.core.settings import FeatureSettings

#: A store, or the path of its folder.
StoreLike: TypeAlias = BundleStore | Path | str


def list_bundles(bundles: StoreLike) -> BundleList:
    """List the bundles of a folder by time of publication, the champion marked.

    A bundle that cannot be read is listed with its error.

    Raises:
        BundleError: the folder, its champion or its history cannot be read.
    """
    store = _store(bundles)
    champion = store.champion()
    published = {entry.id: entry.time for entry in store.history() if entry.action == "publish"}
    order = {name: place for place, name in enumerate(published)}  # of the history: its times are whole seconds
    names = sorted(store.ids(), key=lambda name: (order.get(name, -1), name))
    return BundleList(
        store.folder, tuple(_summary(store, name, name == champion, published.get(name)) for name in names)
    )


def show_bundle(bundles: StoreLike, bundle_id: str | None = None) -> BundleDetails:
    """The manifest and the history of a bundle; without an id, of the champion.

    Raises:
        BundleError: no such bundle, one that cannot be read, or no champion.
    """
    store = _store(bundles)
    champion = store.champion()
    name = bundle_id or champion
    if name is None:
        raise BundleError(
            f"show the champion of {store.folder}",
            found="none",
            expected="an ID, or a champion",
            remedy="Promote one: quorate bundle promote ID.",
        )
    manifest = store.manifest(name)
    history = tuple(entry for entry in store.history() if entry.id == name)
    return BundleDetails(store.path(name), manifest, name == champion, history)


def verify_bundles(
    bundles: StoreLike,
    bundle_ids: Sequence[str] | None = None,
    *,
    settings: FeatureSettings | None = None,
    progress: Progress = silent,
) -> Verification:
    """Compare the files of bundles with their SHA-256, and load their members.

    Args:
        bundles: the folder.
        bundle_ids: None for all.
        settings: files with columns of your own, for bundles that were trained on them; None for those of
            quorate.toml and the environment.
        progress: called with each bundle verified.

    Raises:
        BundleError: no such bundle. One that fails the verification is part of the result.
    """
    from quorate.core.configuration import load_settings

    store = _store(bundles)
    features = load_settings().features if settings is None else settings
    names = list(bundle_ids or store.ids())
    paths = [store.path(name) for name in names]
    found = []
    for number, (name, path) in enumerate(zip(names, paths, strict=True), 1):
        found.append(_verify(store, name, path, features))
        progress("verifying bundles", number, len(names))
    return Verification(store.folder, tuple(found))


def promote_bundle(bundles: StoreLike, bundle_id: str, *, why: str = "", by: str | None = None) -> ChampionChange:
    """Verify a bundle and make it the champion.

    Args:
        bundles: the folder.
        bundle_id: of the bundle.
        why: the reason, for the history.
        by: who decided; None for the user of this process.

    Raises:
        BundleError: no such bundle, or one that fails the verification; the champion stays.
    """
    store = _store(bundles)
    entry = store.promote(bundle_id, why=why, by=by)
    return ChampionChange(
        bundle_id, None if entry is None else entry.previous, entry is not None, store.path(bundle_id)
    )


def rollback_bundle(bundles: StoreLike, *, why: str = "", by: str | None = None) -> ChampionChange:
    """Verify the previous champion and make it the champion again.

    Args:
        bundles: the folder.
        why: the reason, for the history.
        by: who decided; None for the user of this process.

    Raises:
        BundleError: no champion before this one, or it fails the verification; the champion stays.
    """
    store = _store(bundles)
    entry = store.rollback(why=why, by=by)
    return ChampionChange(entry.id, entry.previous, True, store.path(entry.id))


def _store(bundles: StoreLike) -> BundleStore:
    return bundles if isinstance(bundles, BundleStore) else BundleStore(Path(bundles))


def _summary(store: BundleStore, name: str, champion: bool, published: str | None) -> BundleSummary:
    try:
        return BundleSummary(name, champion, published, store.manifest(name))
    except BundleError as error:
        return BundleSummary(name, champion, published, None, str(error))


def _verify(store: BundleStore, name: str, path: Path, features: FeatureSettings) -> BundleVerification:
    from quorate.ensemble.inference.loading import load_bundle

    try:
        files = len(store.verify(name).files)
        loaded = load_bundle(path, features=features)
    except QuorateError as error:
        return BundleVerification(name, ok=False, error=str(error))
    failed = "; ".join(f"{model}: {reason}" for model, reason in loaded.members.failures.items())
    return BundleVerification(name, loaded.mode != "none", files, loaded.mode, failed or None)
