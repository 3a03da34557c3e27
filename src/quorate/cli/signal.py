"""`quorate signal`: the decision at the newest closed bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.workflows.results.signals import MarketSignal


def signal(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Markets, as BTC/USDT:USDT.")],
    bundle: options.BundlePath,
    data: options.Data,
    timeframe: options.Timeframe = "1h",
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    as_json: options.Json = False,
) -> None:
    """Predict the newest closed bar of each market, with the votes behind the decision."""
    from quorate.cli import output
    from quorate.core.clock import format_ms
    from quorate.workflows.signals import signals

    result = signals(bundle, data, symbols, timeframe=timeframe, policy=policy, allow_training_span=allow_training_span)
    if as_json:
        output.print_json(result.to_json())
        return
    for each in result:
        _show(each)
    if result.stale:
        output.note(f"data is stale: the newest closed bar opened at {format_ms(result.newest)}")
    if result.mode != "full":
        output.note(f"mode {result.mode}: {result.status}")


def _show(each: MarketSignal) -> None:
    from quorate.cli import output
    from quorate.core.clock import format_ms
    from quorate.core.types import CLASS_NAMES

    made = each.signal
    notes = [
        "" if each.trained_symbol else "not a symbol of the training",
        "INSIDE THE TRAINING SPAN" if each.in_training_span else "",
        "SYNTHETIC" if each.synthetic else "",
    ]
    tail = "".join(f" ({text})" for text in notes if text)
    when = format_ms(each.time)
    output.print_line(f"{made.symbol} {when}  {made.action.name} {made.confidence:.0%} by {made.rule}{tail}")
    output.print_line(f"  {made.line()}")
    if made.probabilities is not None:
        shares = ", ".join(f"{name} {p:.0%}" for name, p in zip(CLASS_NAMES, made.probabilities, strict=True))
        output.print_line(f"  probabilities: {shares}; decided by the {made.policy} policy")
    for abstention in made.abstentions:
        output.print_line(f"  {abstention.model} abstains: {abstention.reason}")
