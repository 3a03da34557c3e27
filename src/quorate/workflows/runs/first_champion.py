"""The first champion of a folder, after a training."""

from __future__ import annotations

from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.manifest import Manifest
from quorate.workflows.results.champion_change import ChampionStatus


def promote_first(store: BundleStore, manifest: Manifest, evidence: int, why: str) -> ChampionStatus:
    """Make a new bundle the champion where its folder has none and it was measured on enough test rows.

    A champion stays, whoever promoted it: every change is asked for.

    Args:
        store: with the bundle.
        manifest: of the bundle.
        evidence: fewest test rows, as the setting `bundle.evidence`.
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
    rows = manifest.rows.get("test", 0)
    if rows < evidence:
        return ChampionStatus(
            None,
            f"not champion: measured on {rows:,} test rows, and the setting bundle.evidence requires {evidence:,}; "
            f"there is no champion. Train on a longer span, or promote it with: {command}",
        )
    store.promote(name, why=why)
    return ChampionStatus(name, "champion of its folder, as its first bundle with enough test rows")
