"""`quorate signal`: the decision at the newest closed bar."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli import options

# The newest closed bar opened up to two bars ago; one more is a late download.
_STALE_BARS = 3


def signal(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Markets, as BTC/USDT:USDT.")],
    bundle: options.BundlePath,
    data: options.Data,
    timeframe: options.Timeframe = "1h",
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    as_json: options.Json = False,
) -> None:
    """Say what the ensemble decides at each market's newest closed bar, and why."""
    from quorate.cli import output
    from quorate.core.clock import format_ms, now_ms, timeframe_ms
    from quorate.core.configuration import load_settings
    from quorate.core.types import CLASS_NAMES
    from quorate.ensemble.series import load
    from quorate.market import FreqtradeFolder

    loaded = load(bundle, load_settings().predict, policy)
    source = FreqtradeFolder(data)
    panel = [source.candles(symbol, timeframe) for symbol in symbols]
    signals = [loaded.predict(candles, allow_training_span=allow_training_span) for candles in panel]
    trained_on = set(loaded.manifest.symbols)
    marks = [
        {
            "trained_symbol": candles.symbol in trained_on,
            "in_training_span": bool(loaded.in_training_span(candles)[-1]),
            "synthetic": candles.synthetic or loaded.manifest.synthetic,
        }
        for candles in panel
    ]
    if as_json:
        output.print_json([{**made.to_json(), **mark} for made, mark in zip(signals, marks, strict=True)])
        return
    for made, mark in zip(signals, marks, strict=True):
        notes = [
            "" if mark["trained_symbol"] else "not among the symbols it was trained on",
            "INSIDE THE TRAINING SPAN" if mark["in_training_span"] else "",
            "SYNTHETIC" if mark["synthetic"] else "",
        ]
        tail = "".join(f" ({text})" for text in notes if text)
        when = format_ms(made.time or 0)
        output.print_line(f"{made.symbol} {when}  {made.action.name} {made.confidence:.0%} by {made.rule}{tail}")
        output.print_line(f"  {made.line()}")
        if made.probabilities is not None:
            shares = ", ".join(f"{name} {p:.0%}" for name, p in zip(CLASS_NAMES, made.probabilities, strict=True))
            output.print_line(f"  probabilities: {shares}; decided by the {made.policy} policy")
        for abstention in made.abstentions:
            output.print_line(f"  {abstention.model} abstains: {abstention.reason}")
    newest, length = max(made.time or 0 for made in signals), timeframe_ms(timeframe)
    if now_ms() - newest > _STALE_BARS * length:
        output.note(f"the newest bar opened at {format_ms(newest)}: these are signals of the past, not of now")
    if loaded.mode != "full":
        output.note(f"mode {loaded.mode}: {loaded.status()}")
