"""Publish what a challenger has learnt as an ordinary bundle, once it has won."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quorate.core.clock import iso_ms
from quorate.core.errors import ArgumentError, DataError
from quorate.core.settings import Settings
from quorate.ensemble.bundle import bundle_files
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.loading import load_bundle
from quorate.evaluation.cards.write_card import attempt_card
from quorate.lifecycle.challenge.state import ChallengeState
from quorate.lifecycle.online.members import read_members
from quorate.lifecycle.online.state_file import ONLINE, LearntState, StateFile
from quorate.models.runtime import OnnxSession

_log = logging.getLogger(__name__)

#: Entry of a manifest's settings: the bundle and the challenge that its members learnt on from.
LEARNT_ON = "learnt_on"


@dataclass(frozen=True, slots=True)
class PublishedLearner:
    """A bundle of what was learnt.

    Attributes:
        path: its folder.
        manifest: of it.
        champion: of the folder of bundles, unchanged; None where there is none.
    """

    path: Path
    manifest: Manifest
    champion: str | None

    @property
    def origin(self) -> Mapping[str, Any]:
        """The bundle that it began at, the challenge and its verdict, and the bar up to which it has learnt."""
        found: Mapping[str, Any] = self.manifest.settings[LEARNT_ON]
        return found

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate challenge publish --json`."""
        return {
            "bundle": self.manifest.id,
            "path": str(self.path),
            "champion": self.champion,
            LEARNT_ON: dict(self.origin),
        }


def publish_learner(
    challenge: ChallengeState,
    file: StateFile,
    store: BundleStore,
    settings: Settings,
    *,
    why: str = "",
    by: str | None = None,
    force: bool = False,
) -> PublishedLearner:
    """Publish the state after the newest update of a challenge; it is not promoted.

    Members that have learnt are replaced, with their native files and graphs. The rest is of the bundle that they began
    at: other members, probability maps, policy, reference of the drift. The training span ends at the bar of the newest
    update.

    Args:
        challenge: as of its newest record.
        file: of what was learnt.
        store: folder with the bundle that it began at, in which the new one is published.
        settings: user-defined columns, and keys by one of which the bundle has to be signed.
        why: reason, for the log and the manifest.
        by: who publishes it, for the log; None for the user of this process.
        force: also without a verdict for the challenger; needs `why`.

    Raises:
        ArgumentError: a challenger that does not learn on, or that has not won, unless forced with a reason.
        DataError: nothing was learnt, or the file of it is missing or damaged.
        BundleError: the bundle that it began at is not in the folder, or altered; or the folder cannot be written.
        ModelError: a member whose graph gives other scores.
    """
    attempted = f"publish what the challenger of '{challenge.name}' has learnt"
    _require_won(challenge, attempted, why, force=force)
    state = file.read()
    if state is None or not state.natives:
        raise DataError(
            attempted,
            found=f"no file {file.path}" if state is None else f"no member that has learnt by {iso_ms(state.bar)}",
            expected="members that have learnt",
            remedy="Set online.folder to the folder that the challenge ran with, or wait for the first update.",
        )
    base = challenge.start.challenger.removesuffix(ONLINE)
    store.verify(base)
    bundle = load_bundle(store.path(base), settings.predict, features=settings.features, trust=settings.bundle)
    files = {name: bundle_files.read_file(store.path(base), bundle.manifest, name) for name in bundle.manifest.files}
    trained = read_members(bundle, tuple(state.natives))
    entries = {member.model: member for member in bundle.manifest.members}
    for name, content in state.natives.items():
        member, graph = trained[name].restored(content), entries[name].graph
        made, columns = member.graph(), len(bundle.features.names)
        sample = state.replay.X if member.is_network else state.replay.X[:, -1]
        member.require_same_scores(OnnxSession(made, columns, name), sample)
        files |= {str(entries[name].native): content, str(graph): made}
    manifest = _manifest(bundle.manifest, state, _origin(challenge, state, base, why if force else ""))
    text = why or f"won the challenge '{challenge.name}'"
    path, manifest = store.publish(manifest, files, why=text, by=by, promote=False)
    if failure := attempt_card(path):
        _log.warning("%s", failure)
    return PublishedLearner(path, manifest, store.champion())


def _require_won(challenge: ChallengeState, attempted: str, why: str, *, force: bool) -> None:
    if not challenge.start.challenger.endswith(ONLINE):
        raise ArgumentError(
            attempted,
            found=f"the bundle {challenge.start.challenger}, which learns nothing",
            expected="a challenge that was started with --online",
            remedy=f"It is published already: quorate bundle promote {challenge.start.challenger}.",
        )
    if force and not why:
        raise ArgumentError(attempted, found="force without a reason", expected="a reason", remedy="Give it: --why.")
    judgement = challenge.judgement
    if not force and (judgement is None or judgement.verdict != "challenger"):
        raise ArgumentError(
            attempted,
            found="no verdict yet" if judgement is None else f"the verdict {judgement.verdict}: {judgement.reason}",
            expected="the verdict challenger",
            remedy="Let the challenge go on, or force it with a reason: --force --why.",
        )


def _origin(challenge: ChallengeState, state: LearntState, base: str, forced: str) -> dict[str, Any]:
    """Where the members of the new bundle come from; JSON values."""
    judgement = challenge.judgement
    return {
        "bundle": base,
        "challenge": challenge.name,
        "begun": iso_ms(challenge.start.at),
        "verdict": "open" if judgement is None else judgement.verdict,
        "reason": "no verdict yet" if judgement is None else judgement.reason,
        "forced": forced,
        "bar": iso_ms(state.bar),
        "updates": state.updates,
        "members": sorted(state.natives),
        "rows": dict(state.rows),
        "settings": dict(state.settings),
    }


def _manifest(base: Manifest, state: LearntState, origin: Mapping[str, Any]) -> Manifest:
    """The manifest without files and id. Figures of the members that have learnt were those of others, and go."""
    gone = set(state.natives) | {"int8"}
    return replace(
        base,
        id="",
        training_end=max(base.training_end, state.bar),
        fitted_until=max(base.fitted_until, state.bar),
        used_until=max(base.used_until, state.bar),
        metrics={name: found for name, found in base.metrics.items() if name not in gone},
        settings={**base.settings, LEARNT_ON: dict(origin)},
    )
