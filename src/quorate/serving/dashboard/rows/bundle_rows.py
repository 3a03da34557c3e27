"""What the page "Bundles" says about a bundle, and about a change of champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorate.core.clock import format_ms
from quorate.core.text.plural import counted
from quorate.ensemble.bundle.manifest import Manifest
from quorate.evaluation.report.formatting import Cell, cell
from quorate.serving.dashboard.formatting import whole


@dataclass(frozen=True, slots=True)
class MemberFigures:
    """What training measured of a member on its test rows, with intervals.

    Attributes:
        failure: why it was not trained; empty if it was.
        loss: log-loss of a vote's member, root mean squared error in percent of a stack's.
        baseline: that of the class shares alone, or of predicting no move.
        gain: the share of the baseline's loss that the member saves.
    """

    model: str
    failure: str
    loss: Cell
    baseline: Cell
    gain: Cell


@dataclass(frozen=True, slots=True)
class Difference:
    """A property of two bundles."""

    name: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether they differ in it."""
        return self.before != self.after


def member_figures(manifest: Manifest) -> list[MemberFigures]:
    """Figures of every member."""
    return [_figures(manifest, member.model, member.failure or "") for member in manifest.members]


def differences(before: Manifest, after: Manifest) -> list[Difference]:
    """What changes if one bundle takes the place of another: settings first, then each member's figures."""
    rows = [
        Difference(name, old, new)
        for (name, old), new in zip(_properties(before).items(), _properties(after).values(), strict=True)
    ]
    added = sorted(set(after.symbols) - set(before.symbols))
    removed = sorted(set(before.symbols) - set(after.symbols))
    if added or removed:
        rows.append(Difference("Markets that it was trained on", _some(removed, "less"), _some(added, "more")))
    figures = [{each.model: each for each in member_figures(manifest)} for manifest in (before, after)]
    for model in dict.fromkeys(model for found in figures for model in found):
        old, new = (_loss(found.get(model)) for found in figures)
        rows.append(Difference(f"Loss of {model} in its test", old, new))
    return rows


def _properties(manifest: Manifest) -> dict[str, str]:
    trained = f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}"
    votes = "the members" if manifest.policy.quorum_of == "members" else "the independent votes"
    return {
        "Bundle": manifest.id,
        "Trained on": f"{trained}, {counted(len(manifest.symbols), 'market')}",
        "Rows of the training": f"{manifest.rows.get('train', 0):,}",
        "Features": f"{manifest.features_title}, {counted(len(manifest.feature_names), 'column')}",
        "Target": _target(manifest),
        "Policy": manifest.decides,
        "Quorum and floor": f"{whole(manifest.policy.quorum)} of {votes}, {whole(manifest.policy.floor)}",
        "Candles": f"{manifest.timeframe}{', synthetic' if manifest.synthetic else ''}",
    }


def _target(manifest: Manifest) -> str:
    kind, *rest = manifest.to_json()["target"].items()
    return ", ".join([str(kind[1]), *(f"{name} {value}" for name, value in rest)])


def _some(symbols: list[str], word: str) -> str:
    if not symbols:
        return f"none {word}"
    shown = ", ".join(symbols[:5])
    return f"{len(symbols)} {word}: {shown}{', ...' if len(symbols) > 5 else ''}"


def _loss(found: MemberFigures | None) -> str:
    if found is None:
        return "not a member"
    if found.failure:
        return f"not trained: {found.failure}"
    return f"{found.loss.text}{f' ({found.loss.interval})' if found.loss.interval else ''}"


def _figures(manifest: Manifest, model: str, failure: str) -> MemberFigures:
    found: Mapping[str, Any] = manifest.metrics.get(model, {}).get("test", {})
    if manifest.recipe == "stack":
        zero: Mapping[str, Any] = manifest.metrics.get("predict_zero", {}).get("test", {})
        loss, baseline = cell(found, "rmse_pct", "loss"), cell(zero, "rmse_pct", "loss")
        return MemberFigures(model, failure, loss, baseline, cell(found, "r2_vs_zero", "percent"))
    return MemberFigures(
        model,
        failure,
        cell(found, "log_loss", "loss"),
        cell(found, "prior_log_loss", "loss"),
        cell(found, "skill_vs_prior", "percent"),
    )
