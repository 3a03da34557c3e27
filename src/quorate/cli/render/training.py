"""The result of `quorate train` as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.cli.render.bundles import decides_by, show_choice
from quorate.cli.render.quiet_bars import quiet_bars
from quorate.core.clock import format_ms
from quorate.core.text.plural import counted
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.evaluation.verdict import training_verdict
from quorate.workflows.results.headline import closed_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quorate.market.configured_markets import ConfiguredMarkets
    from quorate.workflows.results import SeriesResult, TrainResult
    from quorate.workflows.results.champion_change import ChampionStatus

# Marks rows that were used for early stopping.
_STOPPED_BY = "*"


def note_markets(markets: ConfiguredMarkets) -> None:
    """The markets of a Freqtrade configuration, on standard error."""
    config = markets.config
    if markets.without_candles:
        output.note(f"no {markets.timeframe} candles in {config.data} of: {', '.join(markets.without_candles)}")
    output.note(f"{config.exchange} {config.trading_mode}, {markets.timeframe}: {', '.join(markets.symbols)}")


def show(result: TrainResult | SeriesResult, *, full: bool = False, following: str = "") -> None:
    """A bundle on one screen, which ends with the champion's state; a series: a line a bundle.

    Args:
        result: of the training.
        full: a bundle with all tables: validation rows, floors, columns, cost of each stage.
        following: the next command; empty for none.
    """
    from quorate.workflows.results import TrainResult

    if isinstance(result, TrainResult):
        _show_tables(result) if full else _show_bundle(result)
    else:
        _show_series(result)
    _show_champion(result.champion)
    if following:
        output.print_line(f"next: {following}")


def note_cards(made: Iterable[TrainResult]) -> None:
    """Note the cards that could not be written: the bundles are published all the same."""
    for each in made:
        if each.card_failure:
            output.note(each.card_failure)


def _show_bundle(trained: TrainResult) -> None:
    """Rows, every member on the test rows beside its baseline, what decides and why."""
    from quorate.workflows.results.training import figures_on_test_rows

    manifest = trained.manifest
    rows = manifest.rows
    if manifest.synthetic:
        output.print_line(SYNTHETIC)
    output.print_sentence(
        f"{counted(len(manifest.symbols), 'market')}, {manifest.timeframe}, {format_ms(manifest.training_start)[:10]} "
        f"to {format_ms(manifest.training_end)[:10]}: trained on {rows['train']:,} rows, validated on "
        f"{rows['validation']:,}, tested on {rows['test']:,} later ones"
    )
    for warning in trained.warnings:
        output.print_sentence(warning)
    table = figures_on_test_rows(trained)
    columns = ("on the test rows", *table.columns)
    if any(row[-1] for row in table.rows):  # why a figure is missing
        output.print_rows("", columns, table.rows, prose=True)
    else:
        output.print_compact(columns[:-1], [row[:-1] for row in table.rows])
    because = manifest.closed_because
    if manifest.recipe != "stack":
        output.print_sentence(closed_text(because) if because else f"decides by the policy {decides_by(manifest)}")
        if found := training_verdict(manifest.metrics.get("floors"), manifest.decides):
            output.print_sentence(found)
    earlier = [member.model for member in trained.members if member.earlier]
    if earlier:
        output.print_sentence(f"{', '.join(earlier)}: taken from an earlier run that was interrupted")
    loaded = sum(member.ok for member in trained.members)
    seconds = sum(stage.seconds for stage in trained.stages)
    output.print_line(f"{loaded} of {counted(len(trained.members), 'member')} in {seconds:.0f} s; the tables: --full")
    output.print_line(f"bundle {trained.path}")


def _show_tables(trained: TrainResult) -> None:
    from quorate.cli.render.stack import show_stack

    manifest = trained.manifest
    rows = manifest.rows
    span = f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}"
    if manifest.synthetic:
        output.print_line(SYNTHETIC)
    output.print_line(
        f"{counted(len(manifest.symbols), 'market')}, {rows['candles']:,} candles, "
        f"{rows['labelled']:,} labelled, {span}\n"
        f"trained on {rows['train']:,} rows, validated on {rows['validation']:,}, tested on {rows['test']:,} later ones"
    )
    quiet_bars(trained.quiet_bars)
    for warning in trained.warnings:
        output.print_line(warning)
    if manifest.recipe == "stack":
        show_stack(trained)
    else:
        _show_members(trained)
        _show_policy(trained)
    show_choice(manifest)
    _show_bits(trained)
    output.print_rows(
        "Cost",
        ("stage", "wall", "peak memory"),
        [(stage.name, f"{stage.seconds:.1f} s", f"{stage.peak_mib:.0f} MiB") for stage in trained.stages],
        synthetic=manifest.synthetic,
    )
    earlier = [member.model for member in trained.members if member.earlier]
    if earlier:
        output.print_line(f"{', '.join(earlier)}: taken from an earlier run that was interrupted")
    loaded = sum(member.ok for member in trained.members)
    output.print_line(f"{loaded}/{len(trained.members)} members, mode {trained.mode}\nbundle {trained.path}")


def _show_members(trained: TrainResult) -> None:
    """Each member of a vote beside the class prior; "n/a" and the reason where a figure is missing."""
    from quorate.evaluation.report.formatting import cell

    table = []
    for member in trained.members:
        if not member.ok:
            table.append((member.model, "failed", f"{member.seconds:.1f} s", *[""] * 5, member.failure or ""))
            continue
        for part, figures in member.metrics.items():
            skill = cell(figures, "skill_vs_prior", "percent")
            table.append(
                (
                    member.model,
                    f"{part}{_STOPPED_BY if figures['stopped_by'] else ''}",
                    f"{member.seconds:.1f} s",
                    cell(figures, "log_loss", "loss").text,
                    cell(figures, "prior_log_loss", "loss").text,
                    f"{skill.text} [{skill.interval}]" if skill.interval else skill.text,
                    " / ".join(cell(figures["skill"], part, "percent").text for part in ("volatility", "direction")),
                    "n/a" if figures["auc"] is None else f"{figures['auc']:.3f}",
                    skill.reason or cell(figures, "auc", "loss").reason,
                )
            )
    output.print_rows(
        "Members, on rows they were not fitted on",
        (
            "model",
            "rows",
            "time",
            "log-loss",
            "prior's",
            "skill",
            "volatility / direction",
            "AUC",
            "",
        ),
        table,
        synthetic=trained.manifest.synthetic,
        prose=True,
    )
    if any(figures["stopped_by"] for member in trained.members for figures in member.metrics.values()):
        output.print_line(f"{_STOPPED_BY} early stopping used some of these rows, so the figures are optimistic")


def _show_policy(trained: TrainResult) -> None:
    """The policy in force, and what each floor would have done on the rows that chose it."""
    from quorate.evaluation.report.floor_table import floor_table

    manifest = trained.manifest
    table = floor_table(manifest.metrics.get("floors"))
    if table.rows:
        output.print_table(table, synthetic=manifest.synthetic)
    because = manifest.closed_because
    output.print_line(closed_text(because) if because else f"decides by the policy {decides_by(manifest)}")


def _show_bits(trained: TrainResult) -> None:
    """Networks compared in 8 and 32 bits, where training was asked for 8 bits."""
    found = trained.manifest.metrics.get("int8")
    if found is None:
        return
    loss, unit = ("MSE, squared percent", 1e4) if trained.manifest.recipe == "stack" else ("log-loss", 1.0)
    table = []
    for model, share in found["classes"].items():
        before, after = (unit * loss for loss in found["loss"][model])
        served = "8 bits" if model in found["kept"] else "32 bits"
        table.append((model, f"{share:.2%}", f"{before:.4f}", f"{after:.4f}", served))
    output.print_rows(
        f"In 8 bits, on {found['rows']:,} rows of validation",
        ("model", "same class", loss, "in 8 bits", "served in"),
        table,
        synthetic=trained.manifest.synthetic,
    )
    for policy, agreement in found["decisions"].items():
        if agreement["same"] is None:
            output.print_line(f"policy {policy}: never acts")
        else:
            output.print_line(
                f"policy {policy}: acts on {agreement['acted']:,} rows, the same on {agreement['same']:.2%}"
            )


def _show_series(series: SeriesResult) -> None:
    from quorate.workflows.results.training_series import first_bar_of

    rows = []
    for result in series.bundles:
        manifest = result.manifest
        loaded = sum(member.ok for member in result.members)
        rows.append(
            (
                manifest.id,
                f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}",
                format_ms(first_bar_of(result)),
                str(len(manifest.symbols)),
                f"{loaded}/{len(result.members)}",
                f"{sum(member.seconds for member in result.members):.1f} s",
            )
        )
    if series.synthetic:
        output.print_line(SYNTHETIC)
    columns = ("bundle", "trained on", "decides from", "symbols", "members", "training")
    output.print_rows(
        f"Series of {counted(len(rows), 'bundle')}", columns, rows, synthetic=series.synthetic, prose=True
    )
    output.print_line(f"series {series.path}")


def _show_champion(champion: ChampionStatus | None) -> None:
    if champion is not None:
        output.print_line(champion.note)
