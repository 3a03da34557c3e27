"""`quorate drift`: whether the market has left what a bundle was trained on."""

from __future__ import annotations

from quorate.cli import options
from quorate.cli.lifecycle import watch_options


def drift(
    bundle: options.BundlePath,
    data: options.Data,
    symbols: watch_options.Symbols = None,
    until: watch_options.Until = None,
    as_json: options.Json = False,
) -> None:
    """Compare the newest days with the training of a bundle.

    Watched are the distributions of its features, its calibration, its skill and its log-loss, each beside a limit
    that a market without change rarely crosses. The result is kept beside the champion's pointer, where the service
    and the schedule of retraining find it, and an alarm that begins or ends goes to the webhook; one with --until is a
    look back and is not kept.
    """
    from quorate.cli import output
    from quorate.cli.render.lifecycle.drift import show
    from quorate.lifecycle.drift import check_drift, watch_drift

    with output.progress() as progress:
        if until is None:
            found = watch_drift(bundle, data, symbols=symbols, progress=progress)
        else:
            found = check_drift(bundle, data, symbols=symbols, until=until, progress=progress)
    output.print_json(found.to_json()) if as_json else show(found)
