"""The explanation of a signal as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.cli.render.signals import show_signal
from quorate.core.clock import format_ms
from quorate.core.types.signals import SHORT_NAMES

if TYPE_CHECKING:
    from quorate.lifecycle.explain.attribution import Attribution
    from quorate.lifecycle.explain.explanation import Explanation

# Columns of a member of boosted trees that are named.
_NAMED = 4


def show(result: Explanation) -> None:
    """The decision, a table of contributions with a row a member, and the largest columns of the trees."""
    show_signal(result.signal, explain=True)
    output.print_line(f"  {_sentence(result)}")
    rows = [_row(SHORT_NAMES.get(model, model), own, result) for model, own in result.members.items()]
    if result.ensemble is not None:
        rows.append(_row("ensemble", result.ensemble, result))
    first = "mean" if result.earlier is None else "before"
    output.print_rows("", ("", first, *(group.name for group in result.groups), "score"), rows)
    for model, own in result.trees.items():
        named = ", ".join(
            f"{result.columns[place]} {own.contributions[place, result.explained]:+.3f}"
            for place in own.largest(result.explained, _NAMED)
        )
        output.print_line(f"  {SHORT_NAMES.get(model, model)}, largest columns, {_unit(result)}: {named}")
    if result.signal.stale:
        output.note(f"data is stale: the newest closed bar opened at {format_ms(result.signal.time)}")


def _sentence(result: Explanation) -> str:
    """What is explained, and what it is compared with."""
    name = result.outputs[result.explained]
    what = "Predicted return in percent" if _is_return(result) else f"Score of {name}"
    if result.earlier is not None:
        return f"{what}, and what changed it since {format_ms(result.earlier.time)}:"
    bars = result.background
    return (
        f"{what}, and what moved it from its mean over {len(bars)} bars, {format_ms(bars[0])} to {format_ms(bars[-1])}:"
    )


def _row(name: str, own: Attribution, result: Explanation) -> tuple[str, ...]:
    place, returns = result.explained, _is_return(result)
    scale, digits = (100, 4) if returns else (1, 3)
    # 0 is added, so that what is rounded to -0 has no sign.
    moved = (f"{round(scale * value, digits) + 0.0:+.{digits}f}" for value in own.contributions[:, place].tolist())
    base, score = (f"{scale * float(value[place]):.{digits}f}" for value in (own.base, own.score))
    return (name, base, *moved, score)


def _unit(result: Explanation) -> str:
    if _is_return(result):
        return "return as a fraction"
    return f"log-odds of {result.outputs[result.explained]}"


def _is_return(result: Explanation) -> bool:
    return len(result.outputs) == 1
