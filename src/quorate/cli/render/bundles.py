"""Bundles as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.evaluation.report.formatting import SYNTHETIC

if TYPE_CHECKING:
    from quorate.ensemble.bundle.manifest import Manifest
    from quorate.workflows.results import BundleDetails, ChampionChange


# Entries of the policy that tables show.
_TABLES = ("weights", "correlation")


def show_details(found: BundleDetails) -> None:
    """The manifest, the members and the history of a bundle."""
    manifest, document = found.manifest, found.to_json()
    if manifest.synthetic:
        output.print_line(SYNTHETIC)
    span, rows = document["training_span"], manifest.rows
    facts = {
        "bundle": manifest.id + (" (champion)" if found.champion else ""),
        "recipe": f"{manifest.recipe}, {manifest.timeframe}",
        "features": f"{manifest.features_title}, {len(manifest.feature_names)} columns",
        "trained on": f"{span['from']} to {span['to']}, {rows.get('train', 0):,} of {rows.get('candles', 0):,} candles",
        "symbols": ", ".join(manifest.symbols),
        "classes": ", ".join(
            # Empty for a stack, whose members predict returns.
            f"{name} {share:.1%}"
            for name, share in zip(document["classes"], manifest.class_prior, strict=bool(manifest.class_prior))
        ),
        "policy": ", ".join(f"{key} {value}" for key, value in document["policy"].items() if key not in _TABLES),
        **({} if manifest.recipe == "stack" else {"decides": decides_by(manifest)}),
        "versions": ", ".join(f"{package} {version}" for package, version in manifest.versions.items()),
    }
    output.print_rows("Bundle", ("", ""), list(facts.items()), synthetic=manifest.synthetic, prose=True)
    members = [
        (
            member.model,
            f"{manifest.policy.weight(member.model):g}",
            member.failure or f"{member.native}, {member.graph}",
        )
        for member in manifest.members
    ]
    _show_evidence(manifest)
    _show_agreement(manifest)
    show_choice(manifest)
    output.print_rows("Members", ("model", "weight", "files"), members, synthetic=manifest.synthetic, prose=True)
    history = [(entry.time, entry.action, entry.previous or "", entry.by, entry.why) for entry in found.history]
    output.print_rows("History", ("time", "action", "champion before", "by", "why"), history, prose=True)


def decides_by(manifest: Manifest) -> str:
    """The policy in force and why; where the settings name it, the evidence beside it."""
    because = manifest.closed_because
    report = manifest.metrics.get("probabilities", {})
    if because:
        return f"{manifest.decides}, because {because}"
    if "evidence" not in report:
        return manifest.decides
    own = report["evidence"]["policy"] == manifest.decides
    return f"{manifest.decides}: {report['why']}" + ("" if own else f"; the evidence says {report['evidence']['text']}")


def _show_evidence(manifest: Manifest) -> None:
    from quorate.evaluation.metrics.policy_evidence import evidence_of
    from quorate.evaluation.report.evidence_table import evidence_table

    evidence = evidence_of({"": manifest.metrics.get("probabilities", {})})
    if evidence is not None:
        output.print_table(evidence_table({"evidence": evidence}), synthetic=manifest.synthetic, prose=True)


def _show_agreement(manifest: Manifest) -> None:
    from quorate.evaluation.report.agreement_table import agreement_table

    table = agreement_table(manifest.metrics.get("agreement"))
    if table.rows:
        output.print_table(table, synthetic=manifest.synthetic)


def show_choice(manifest: Manifest) -> None:
    """Why the columns were chosen; nothing for a feature set by name."""
    from quorate.evaluation.report.feature_selection_table import choice_table

    table = choice_table(manifest.metrics.get("features"))
    if table.rows:
        output.print_table(table, synthetic=manifest.synthetic, prose=True)
        output.print_line(f"columns: {', '.join(manifest.feature_names)}")


def show_change(change: ChampionChange) -> None:
    """The champion and the one before it."""
    if not change.changed:
        output.print_line(f"{change.champion} is champion already")
    else:
        output.print_line(f"champion {change.champion}, before it {change.previous or 'none'}")
