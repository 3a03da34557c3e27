"""What `quorate train` made, for a person and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quorate.ensemble.training.train_ensemble import Trained

# Marks rows that a member's training looked at, to stop early.
_STOPPED_BY = "*"


def to_json(trained: Trained) -> dict[str, Any]:
    """The form of `quorate train --json`."""
    from quorate.cli.stack import stack_json
    from quorate.core.clock import iso_ms

    manifest = trained.manifest
    return {
        "bundle": str(trained.path),
        "id": manifest.id,
        "mode": trained.mode,
        "synthetic": manifest.synthetic,
        "models": {
            member.model: {
                "ok": member.ok,
                "seconds": round(member.seconds, 3),
                "metrics": member.metrics,
                "failure": member.failure,
                "earlier": member.earlier,
            }
            for member in trained.members
        },
        "rows": manifest.rows["candles"],
        "rows_by_part": dict(manifest.rows),
        "span": {"from": iso_ms(manifest.training_start), "to": iso_ms(manifest.training_end)},
        **({"int8": manifest.metrics["int8"]} if "int8" in manifest.metrics else {}),
        **(
            stack_json(trained)
            if manifest.recipe == "stack"
            else {"class_prior": dict(zip(("SELL", "HOLD", "BUY"), manifest.class_prior, strict=True))}
        ),
        "symbols": list(manifest.symbols),
        "stages": [
            {"stage": stage.name, "seconds": round(stage.seconds, 3), "peak_mib": round(stage.peak_mib, 1)}
            for stage in trained.stages
        ],
    }


def show(trained: Trained) -> None:
    """The summary for a person: rows, stages, and every member beside its baselines."""
    from quorate.cli import output
    from quorate.cli.stack import show_stack
    from quorate.core.clock import format_ms

    manifest = trained.manifest
    rows = manifest.rows
    span = f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}"
    if manifest.synthetic:
        output.print_line(output.SYNTHETIC)
    output.print_line(
        f"{len(manifest.symbols)} symbols, {rows['candles']:,} candles, {rows['labelled']:,} labelled, {span}\n"
        f"trained on {rows['train']:,} rows, validated on {rows['validation']:,}, tested on {rows['test']:,} later ones"
    )
    if manifest.recipe == "stack":
        show_stack(trained)
    else:
        _show_members(trained)
    _show_bits(trained)
    output.print_rows(
        "Cost",
        ("stage", "wall", "peak memory"),
        [(stage.name, f"{stage.seconds:.1f} s", f"{stage.peak_mib:.0f} MiB") for stage in trained.stages],
        synthetic=manifest.synthetic,
    )
    earlier = [member.model for member in trained.members if member.earlier]
    if earlier:
        output.print_line(f"{', '.join(earlier)}: finished by an earlier run that was interrupted, taken as they were")
    loaded = sum(member.ok for member in trained.members)
    output.print_line(f"{loaded}/{len(trained.members)} members, mode {trained.mode}\nbundle {trained.path}")


def _show_members(trained: Trained) -> None:
    """Every member of a vote beside the class prior."""
    from quorate.cli import output

    table = []
    for member in trained.members:
        if not member.ok:
            table.append((member.model, "failed", f"{member.seconds:.1f} s", "", "", "", "", member.failure or ""))
            continue
        for part, figures in member.metrics.items():
            low, high = figures["skill_vs_prior_ci"]
            table.append(
                (
                    member.model,
                    f"{part}{_STOPPED_BY if figures['stopped_by'] else ''}",
                    f"{member.seconds:.1f} s",
                    f"{figures['log_loss']:.4f}",
                    f"{figures['prior_log_loss']:.4f}",
                    f"{figures['skill_vs_prior']:+.2%} [{low:+.2%}, {high:+.2%}]",
                    f"{figures['auc']:.3f}",
                    "",
                )
            )
    output.print_rows(
        "Members, on rows they were not fitted on",
        ("model", "rows", "time", "log-loss", "class prior's", "skill against the prior", "AUC", ""),
        table,
        synthetic=trained.manifest.synthetic,
        prose=True,
    )
    if any(figures["stopped_by"] for member in trained.members for figures in member.metrics.values()):
        output.print_line(
            f"{_STOPPED_BY} the member stopped training by some of these rows: its figures there flatter it"
        )


def _show_bits(trained: Trained) -> None:
    """What became of the networks that were to be served in 8 bits, if any were."""
    from quorate.cli import output

    told = trained.manifest.metrics.get("int8")
    if told is None:
        return
    loss, unit = ("MSE, squared percent", 1e4) if trained.manifest.recipe == "stack" else ("log-loss", 1.0)
    table = []
    for model, share in told["classes"].items():
        before, after = (unit * loss for loss in told["loss"][model])
        served = "8 bits" if model in told["kept"] else "32 bits"
        table.append((model, f"{share:.2%}", f"{before:.4f}", f"{after:.4f}", served))
    output.print_rows(
        f"In 8 bits, on {told['rows']:,} rows of validation",
        ("model", "same class", loss, "in 8 bits", "served in"),
        table,
        synthetic=trained.manifest.synthetic,
    )
    for policy, found in told["decisions"].items():
        if found["same"] is None:
            output.print_line(f"policy {policy}: never acts")
        else:
            output.print_line(f"policy {policy}: acts on {found['acted']:,} rows, the same on {found['same']:.2%}")
