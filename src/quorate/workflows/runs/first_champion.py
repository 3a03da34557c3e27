"""The first champion of a folder, after a training."""

from __future__ import annotations

from quorate.core.errors import BundleError, MissingExtraError
from quorate.core.sections.bundle import BundleSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.manifest import Manifest
from quorate.workflows.results.champion_change import ChampionStatus


def promote_first(store: BundleStore, manifest: Manifest, settings: BundleSettings, why: str) -> ChampionStatus:
    """Make a new bundle the champion where its folder has none and it was measured on enough test rows.

    It has to be signed as loading requires. A champion stays, whoever promoted it: every change is asked for.

    Args:
        store: with the bundle.
        manifest: of the bundle.
        settings: fewest test rows, and the keys by one of which a bundle has to be signed.
        why: the reason, for the history.

    Raises:
        BundleError: the bundle fails the verification, or the champion cannot be written. The bundle stays published.
    """
    champion, name = store.champion(), manifest.id
    command = f"quorate bundle promote {name} --bundles {store.folder}"
    if champion == name:
        return ChampionStatus(name, "champion of its folder")
    if champion is not None:
        return ChampionStatus(champion, f"champion is still {champion}; promote the new bundle with: {command}")
    rows, evidence = manifest.rows.get("test", 0), settings.evidence
    if rows < evidence:
        return ChampionStatus(
            None,
            f"not champion: measured on {rows:,} test rows, and the setting bundle.evidence requires {evidence:,}; "
            f"there is no champion. Train on a longer span, or promote it with: {command}",
        )
    try:
        store.require_trusted(name, settings)
    except (BundleError, MissingExtraError) as error:  # no reason to fail after hours of training
        return ChampionStatus(
            None,
            f"not champion: found {error.found}; expected {error.expected or 'a signature'}; there is no champion. "
            f"{error.remedy} Then: {command}",
        )
    store.promote(name, why=why, trust=settings)
    return ChampionStatus(name, "champion of its folder, as its first bundle with enough test rows")
