"""List, show and verify the bundles of a folder, and change the champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    from quorate.core.settings import BundleSettings, FeatureSettings

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
    store, bundle_id = _locate(bundles, bundle_id)
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
    key: str | Path | None = None,
    progress: Progress = silent,
) -> Verification:
    """Compare the files of bundles with their SHA-256, check their signatures, and load their members.

    Without `bundle_ids`, a champion's pointer that names no bundle is part of the result, as a bundle that fails.

    Args:
        bundles: the folder.
        bundle_ids: None for all.
        settings: files with columns of your own, for bundles that were trained on them; None for those of
            quorate.toml and the environment.
        key: public key that must have signed the bundles, a PEM file or base64; None for the setting
            `bundle.trusted_keys`.
        progress: called with each bundle verified.

    Raises:
        BundleError: no such bundle. One that fails the verification is part of the result.
    """
    from quorate.core.configuration import load_settings

    store = _store(bundles)
    configured = load_settings()
    features = configured.features if settings is None else settings
    trust = configured.bundle if key is None else replace(configured.bundle, trusted_keys=(str(key),))
    asked = [_locate(bundles, name) for name in bundle_ids or store.ids()]
    paths = [(at, str(name), at.path(str(name))) for at, name in asked]
    found = []
    for number, (at, name, path) in enumerate(paths, 1):
        found.append(_verify(at, name, path, features, trust))
        progress("verifying bundles", number, len(paths))
    if not bundle_ids:
        try:
            store.champion()
        except BundleError as error:
            found.append(BundleVerification("champion", ok=False, error=str(error)))
    return Verification(store.folder, tuple(found))


def sign_bundle(bundles: StoreLike, bundle_id: str, key: str | Path) -> str:
    """Verify a bundle and sign it; an earlier signature by the same key is replaced.

    Args:
        bundles: the folder.
        bundle_id: of the bundle, or its path.
        key: private Ed25519 key, an unencrypted PEM file that only its owner can read.

    Returns:
        The public key in base64, as the setting `bundle.trusted_keys` takes it.

    Raises:
        BundleError: no such bundle, one that fails the verification, or a key that cannot be used.
        MissingExtraError: cryptography is not installed.
    """
    from quorate.ensemble.bundle import signature

    store, name = _locate(bundles, bundle_id)
    store.verify(str(name))
    return signature.sign_bundle(store.path(str(name)), Path(key))


def promote_bundle(
    bundles: StoreLike,
    bundle_id: str,
    *,
    why: str = "",
    by: str | None = None,
    trust: BundleSettings | None = None,
) -> ChampionChange:
    """Verify a bundle and its signature, and make it the champion.

    Args:
        bundles: the folder.
        bundle_id: of the bundle.
        why: the reason, for the history.
        by: who decided; None for the user of this process.
        trust: keys by one of which it has to be signed, if there are any; None for those of quorate.toml and the
            environment.

    Raises:
        BundleError: no such bundle, or one that fails the verification or that no trusted key has signed; the champion
            stays.
    """
    store, located = _locate(bundles, bundle_id)
    bundle_id = str(located)
    entry = store.promote(bundle_id, why=why, by=by, trust=trust)
    return ChampionChange(
        bundle_id, None if entry is None else entry.previous, entry is not None, store.path(bundle_id)
    )


def rollback_bundle(
    bundles: StoreLike, *, why: str = "", by: str | None = None, trust: BundleSettings | None = None
) -> ChampionChange:
    """Verify the previous champion and its signature, and make it the champion again.

    Args:
        bundles: the folder.
        why: the reason, for the history.
        by: who decided; None for the user of this process.
        trust: as of `promote_bundle`.

    Raises:
        BundleError: no champion before this one, or it fails the verification or no trusted key has signed it; the
            champion stays.
    """
    store = _store(bundles)
    entry = store.rollback(why=why, by=by, trust=trust)
    return ChampionChange(entry.id, entry.previous, True, store.path(entry.id))


def _store(bundles: StoreLike) -> BundleStore:
    return bundles if isinstance(bundles, BundleStore) else BundleStore(Path(bundles))


def _locate(bundles: StoreLike, bundle: str | None) -> tuple[BundleStore, str | None]:
    """The store and the id of a bundle that is named by its id, or by its path as a training prints it."""
    if bundle is not None and Path(bundle).name != bundle:
        path = Path(bundle)
        return BundleStore(path.parent), path.name
    return _store(bundles), bundle


def _summary(store: BundleStore, name: str, champion: bool, published: str | None) -> BundleSummary:
    try:
        return BundleSummary(name, champion, published, store.manifest(name))
    except BundleError as error:
        return BundleSummary(name, champion, published, None, str(error))


def _verify(
    store: BundleStore, name: str, path: Path, features: FeatureSettings, trust: BundleSettings
) -> BundleVerification:
    from quorate.ensemble.inference.loading import load_bundle

    try:
        files = len(store.verify(name).files)
        loaded = load_bundle(path, features=features, trust=trust)
    except QuorateError as error:
        return BundleVerification(name, ok=False, error=str(error))
    failed = "; ".join(f"{model}: {reason}" for model, reason in loaded.members.failures.items())
    return BundleVerification(name, loaded.mode != "none", files, loaded.mode, failed or None)
