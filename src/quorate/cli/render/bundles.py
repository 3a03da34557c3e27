"""Bundles of a folder as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.workflows.results.headline import SYNTHETIC

if TYPE_CHECKING:
    from quorate.workflows.results.bundles import BundleDetails, BundleList, BundleSummary, Verification


def show_list(found: BundleList) -> None:
    """A line a bundle, the champion marked."""
    columns = ("bundle (* is champion)", "published", "bar", "symbols", "trained on", "members")
    output.print_rows(
        f"{len(found)} bundles in {found.folder}", columns, [_line(bundle) for bundle in found], prose=True
    )
    if found.champion is None:
        output.note("no champion: promote one with quorate bundle promote ID")


def show_details(found: BundleDetails) -> None:
    """Manifest, members and history of a bundle."""
    manifest, document = found.manifest, found.to_json()
    if manifest.synthetic:
        output.print_line(SYNTHETIC)
    span, rows = document["training_span"], manifest.rows
    facts = {
        "bundle": manifest.id + (" (champion)" if found.champion else ""),
        "recipe": f"{manifest.recipe}, {manifest.timeframe}",
        "features": f"{manifest.features}, {len(manifest.feature_names)} columns",
        "trained on": f"{span['from']} to {span['to']}, {rows.get('train', 0):,} of {rows.get('candles', 0):,} candles",
        "symbols": ", ".join(manifest.symbols),
        "classes": ", ".join(
            f"{name} {share:.1%}" for name, share in zip(document["classes"], manifest.class_prior, strict=True)
        ),
        "policy": ", ".join(f"{key} {value}" for key, value in document["policy"].items() if key != "weights"),
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
    output.print_rows("Members", ("model", "weight", "files"), members, synthetic=manifest.synthetic, prose=True)
    history = [(entry.time, entry.action, entry.previous or "", entry.by, entry.why) for entry in found.history]
    output.print_rows("History", ("time", "action", "champion before", "by", "why"), history, prose=True)


def show_verification(found: Verification) -> None:
    """A line a bundle: whether it can be used, and what was wrong."""
    rows = [
        (one.id, "ok" if one.ok else "REFUSED", str(one.files or ""), one.mode or "", one.error or "")
        for one in found.bundles
    ]
    columns = ("bundle", "result", "files", "mode", "found")
    output.print_rows(f"Bundles in {found.folder}", columns, rows, prose=True)


def _line(bundle: BundleSummary) -> tuple[str, ...]:
    manifest = bundle.manifest
    name = ("* " if bundle.champion else "  ") + bundle.id
    published = (bundle.published or "")[:16].replace("T", " ")
    if manifest is None:
        return (name, published, "", "0", "", bundle.error or "")
    span = manifest.to_json()["training_span"]
    return (
        name + (" (synthetic)" if manifest.synthetic else ""),
        published,
        manifest.timeframe,
        str(len(manifest.symbols)),
        f"{span['from'][:10]} to {span['to'][:10]}",
        ", ".join(member.model + ("" if member.failure is None else " (failed)") for member in manifest.members),
    )
