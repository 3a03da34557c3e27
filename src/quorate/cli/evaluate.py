"""`quorate evaluate`: how good a bundle is on bars it has not seen."""

from __future__ import annotations

from quorate.cli import options


def evaluate(
    bundle: options.BundlePath,
    data: options.Data,
    start: options.Start = None,
    end: options.End = None,
    symbols: options.Symbols = None,
    allow_training_span: options.AllowTrainingSpan = False,
    report: options.Report = None,
    as_json: options.Json = False,
) -> None:
    """Score a frozen bundle on later candles, beside its baselines on the same rows.

    Without --symbols it is every market of the folder of the kind it was trained on, seen or unseen.
    """
    from quorate.cli import output
    from quorate.cli.run import judge, run
    from quorate.core.configuration import load_settings
    from quorate.ensemble.predictor import load_bundle
    from quorate.market import FreqtradeFolder

    settings = load_settings()
    loaded = load_bundle(bundle, settings.predict)
    source, wanted = FreqtradeFolder(data), options.split_symbols(symbols)
    with output.progress() as tell:
        ran = run(loaded, source, wanted, start, end, settings, tell, allow_training_span=allow_training_span)
        card, document = judge(ran, settings, tell)
    if report is not None:
        from quorate.cli.scoreboard import IN_TRAINING_SPAN
        from quorate.evaluation.report import write_report

        write_report(report, card, warnings=[IN_TRAINING_SPAN] if ran.in_training_span else [])
        output.note(f"report written to {report}")
    if as_json:
        output.print_json(document)
    else:
        from quorate.cli.scoreboard import show

        show(document)
