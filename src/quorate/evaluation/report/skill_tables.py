"""Tables of skill divided into volatility and direction, by model and by group of markets."""

from __future__ import annotations

from collections.abc import Mapping

from quorate.evaluation.report.formatting import Cell, Figure, Table, cell

#: Key of a part of the skill -> its name in tables.
SKILL_PARTS = (("volatility", "- of volatility"), ("direction", "- of direction"))

_AGAINST = ("skill over prior", "of volatility", "of direction")


def skill_table(figures: Figure, names: Mapping[str, str]) -> Table:
    """Skill of every model with scores against the training prior and against the span's own shares.

    Args:
        figures: of a scorecard.
        names: key of a baseline -> its name in tables.
    """
    baselines = {names.get(name, name): found for name, found in figures["baselines"].items() if "skill" in found}
    models = {"ensemble": figures["ensemble"], **figures["members"], **baselines}
    rows = tuple(
        (
            Cell(name),
            *_parts("skill_vs_prior", found, found["skill"]),
            *_parts("skill", found["skill"]["vs_span"], found["skill"]["vs_span"]),
            cell(found["skill"].get("vs_log_har", {}), "log_loss", "change"),
        )
        for name, found in models.items()
    )
    span = ("over the span's shares", "of volatility", "of direction")
    return Table("Skill in volatility and in direction", ("model", *_AGAINST, *span, "log-loss minus log_har's"), rows)


def group_table(figures: Figure) -> Table:
    """Skill of the ensemble, its members and log-HAR by thirds of the markets; empty for fewer than three markets."""
    rows = tuple(
        (
            Cell(f"{group['group']} ({len(group['symbols'])})"),
            Cell(name),
            Cell(f"{group['rows']:,}"),
            *_parts("skill_vs_prior", found, found["skill"]),
        )
        for group in figures.get("skill_by_group", ())
        for name, found in group["models"].items()
    )
    return Table("Skill by quote volume of the markets", ("markets", "model", "rows", *_AGAINST), rows)


def _parts(name: str, whole: Figure, parts: Figure) -> tuple[Cell, ...]:
    return (cell(whole, name, "percent"), *(cell(parts, part, "percent") for part, _ in SKILL_PARTS))
