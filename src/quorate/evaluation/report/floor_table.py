"""The table of what each floor would have done."""

from __future__ import annotations

from typing import Any

from quorate.evaluation.report.formatting import Cell, Figure, Table, cell, text_of

# Rows of floors that are shown; --json has all.
_SHOWN = 7


def floor_table(figures: Figure | None) -> Table:
    """Signals, coverage and net outcome by floor, classic beside consensus; the last row has the highest confidence.

    Floors above the lowest one without any signal are left out, except the one in force.

    Args:
        figures: of `floor_figures`; None for an empty table.
    """
    if not figures:
        return Table("Floors", (), ())
    policies: dict[str, Any] = figures["policies"]
    columns = ["floor"]
    for name in policies:
        columns += [name, "net, bps"]
    by_floor = list(zip(*(policy["floors"] for policy in policies.values()), strict=True))
    silent = [place for place, found in enumerate(by_floor) if not any(row["signals"] for row in found)]
    last = silent[0] if silent else len(by_floor) - 1
    kept = [found for place, found in enumerate(by_floor) if place <= last or found[0]["floor"] == figures["floor"]]
    rows = [_row(found, figures["floor"]) for found in kept[-_SHOWN:]]
    reached = [Cell("highest seen")]
    for policy in policies.values():
        reached += [cell(policy, "highest_confidence", "loss"), Cell("")]
    title = f"Floors: signals, their share of {figures['bars']:,} bars, and their mean net outcome"
    return Table(title, tuple(columns), (*rows, tuple(reached)))


def _row(found: tuple[Figure, ...], in_force: float) -> tuple[Cell, ...]:
    floor = found[0]["floor"]
    cells = [Cell(f"{text_of(floor, 'number')} in force" if floor == in_force else text_of(floor, "number"))]
    for row in found:
        if not row["signals"]:
            cells += [Cell("none"), Cell("")]
            continue
        net, ends = cell(row, "net_bps", "bps"), row["net_bps_ci"]
        # The unit is in the head of the column, so that the table fits a narrow terminal.
        between = "" if ends is None else f"{ends[0]:+,.0f} to {ends[1]:+,.0f}"
        share = 100 * row["coverage"]
        shown = f"{share:.0f}" if share >= 10 else f"{share:.2g}"  # of many bars, few are a small share
        cells += [Cell(f"{row['signals']:,} ({shown} %)"), Cell(f"{row['net_bps']:+,.1f}", between, tone=net.tone)]
    return tuple(cells)
