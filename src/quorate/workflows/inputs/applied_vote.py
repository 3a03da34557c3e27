"""Settings of the vote for one run, in place of those that a bundle was trained with."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from quorate.core.errors import SettingsError
from quorate.core.sections.vote import VoteSettings

if TYPE_CHECKING:
    from quorate.ensemble.inference import Predictor

_LOG = logging.getLogger(__name__)

# What the policies read of the vote; the others read all of it.
_READ = {"closed": frozenset[str](), "calibrated": frozenset({"weights", "default_weight", "quorum"})}


def with_vote(bundle: Predictor, vote: VoteSettings) -> Predictor:
    """The bundle with the settings of the vote that the environment or the caller sets for this run.

    A settings file holds for every run, also for that of a service, so that a difference in it is refused: the bundle's
    policy was chosen with the vote it was trained with.

    Args:
        bundle: as trained; a stack has no vote.
        vote: of the run. Fields that neither differ from the defaults nor are set anywhere leave the bundle's.

    Raises:
        SettingsError: the settings file differs from the bundle.
    """
    from quorate.core.configuration import setting_sources
    from quorate.core.sections.sources import PREFIX, anything_set

    if bundle.stack is not None:
        return bundle
    usual, own = VoteSettings(), bundle.manifest.policy
    sources = setting_sources("vote") if anything_set() else {}
    wanted: dict[str, Any] = {}
    for field in fields(VoteSettings):
        name = field.name
        value, trained = getattr(vote, name), getattr(own, name)
        if value == trained or (name not in sources and value == getattr(usual, name)):
            continue
        source = sources.get(name, "")
        if source and not source.startswith(PREFIX):
            variable = f"{PREFIX}VOTE__{name.upper()}"
            raise SettingsError(
                f"use the bundle {bundle.id} with the settings of {source}",
                found=f"vote.{name} = {_text(value)}",
                expected=f"{_text(trained)}, with which it was trained",
                remedy=f"Train again to have it in a bundle, or take it out of the file; for one run: {variable}.",
            )
        wanted[name] = value
    if not wanted:
        return bundle
    changed = bundle.with_vote(replace(own, **wanted))
    _LOG.info("bundle %s: %s", bundle.id, overrides_text(vote_overrides(changed)))
    return changed


def vote_overrides(bundle: Predictor) -> dict[str, Any]:
    """Settings of the vote that are not those of the training: name -> `trained` and `applied`; JSON-safe."""
    newest = bundle.newest
    if newest.manifest.policy == newest.trained_vote:
        return {}
    trained, applied = newest.trained_vote.to_json(), newest.manifest.policy.to_json()
    return {
        name: {"trained": trained[name], "applied": value, "read": name in _READ.get(newest.decides, {name})}
        for name, value in applied.items()
        if value != trained[name]
    }


def overrides_text(overrides: Mapping[str, Any]) -> str:
    """The sentence that marks a run with other settings of the vote than its bundle was trained with."""
    changed = ", ".join(
        f"{name} {_text(one['applied'])} instead of {_text(one['trained'])}"
        + ("" if one["read"] else " (the policy in force does not read it)")
        for name, one in overrides.items()
    )
    return f"VOTE SET FOR THIS RUN: {changed}"


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
