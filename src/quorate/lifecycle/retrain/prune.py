"""Which bundles of retraining are removed."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.core.sections.retrain import RetrainSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.champion_log import champion_lineage
from quorate.ensemble.series import series_bundles
from quorate.lifecycle.retrain.run_log import RetrainRun


def superfluous(store: BundleStore, runs: Sequence[RetrainRun], settings: RetrainSettings) -> tuple[str, ...]:
    """Ids of the bundles to be removed, oldest first.

    Only bundles that retraining made are removed. Of these stay the newest `retrain.keep`, the champion, the
    `retrain.rollbacks` champions before it, and the bundles of a series.

    Args:
        store: the folder of bundles.
        runs: all so far, oldest first.
        settings: how many stay.

    Raises:
        BundleError: the folder, its champion or its history cannot be read.
    """
    made = list(dict.fromkeys(run.bundle for run in reversed(runs) if run.bundle is not None))
    champions = list(dict.fromkeys(reversed(champion_lineage(store.history()))))
    champion = store.champion()
    needed = {*made[: settings.keep], *champions[: settings.rollbacks + 1], *series_bundles(store.folder)}
    needed |= set() if champion is None else {champion}
    there = set(store.ids())
    return tuple(name for name in reversed(made) if name in there and name not in needed)


def remove_superfluous(
    store: BundleStore, runs: Sequence[RetrainRun], settings: RetrainSettings, by: str
) -> tuple[str, ...]:
    """Remove those bundles; ids of the removed ones. One that became champion meanwhile stays.

    Raises:
        BundleError: as `superfluous`, or the folder cannot be written.
    """
    removed = []
    for name in superfluous(store, runs, settings):
        if name == store.champion():
            continue
        store.remove(name, why=f"older than the newest {settings.keep} of retraining", by=by)
        removed.append(name)
    return tuple(removed)
