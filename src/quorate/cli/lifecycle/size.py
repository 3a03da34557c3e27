"""`quorate size`: a share of the ordinary stake for each entry, learnt from closed trades."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options
from quorate.core.sections.sizing import SizingLearner

if TYPE_CHECKING:
    from quorate.core.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="Size entries by an overlay that can only shrink them: judge a learner, fit an overlay, show it.",
)

_Learner = Annotated[
    SizingLearner | None, typer.Option("--learner", help="What learns the sizes. [default: `sizing.learner`]")
]


@app.command("gate")
def gate(bundle: options.BundlePath, learner: _Learner = None, as_json: options.Json = False) -> None:
    """Judge a learner on synthetic markets; only one that passes may be fitted on real candles.

    It must find a planted edge, do no harm on a random walk, and find nothing where there is nothing. The result is
    kept beside the bundles, for the code and the settings as they are now.
    """
    from quorate.cli import output
    from quorate.cli.render.lifecycle.size import show_gate
    from quorate.lifecycle.sizing.gate import run_gate, write_gate

    settings = _settings(learner)
    with output.progress() as progress:
        found = run_gate(settings.sizing, progress=progress)
    write_gate(bundle, found)
    output.print_json(found.to_json()) if as_json else show_gate(found.to_json())
    if not found.passed:
        raise typer.Exit(1)


@app.command("fit")
def fit(
    bundle: options.BundlePath,
    data: options.Data,
    symbols: options.Symbols = None,
    start: options.Start = None,
    end: options.End = None,
    learner: _Learner = None,
    policy: options.Policy = None,
    as_json: options.Json = False,
) -> None:
    """Fit an overlay on the trades of a bundle, and keep it only where it wins out of fold.

    The bars must be later than the bundle's training. A kept overlay is applied where `sizing.apply` is set.
    """
    from quorate.cli import output
    from quorate.cli.render.lifecycle.size import show_fit
    from quorate.lifecycle.sizing.fit import fit_overlay
    from quorate.workflows.runs.trials import RunRecord

    settings = _settings(learner)
    named = {"symbols": symbols, "start": start, "end": end}
    with output.progress() as progress:
        found = fit_overlay(
            bundle,
            data,
            policy=policy,
            settings=settings,
            record=RunRecord(options.command_line(), str(data)),
            progress=progress,
            **{name: value for name, value in named.items() if value is not None},  # type: ignore[arg-type]
        )
    output.print_json(found) if as_json else show_fit(found, applied=settings.sizing.apply)


@app.command("status")
def status(bundle: options.BundlePath, as_json: options.Json = False) -> None:
    """Show the overlay that was fitted last, and which learners have passed the gate."""
    from quorate.cli import output
    from quorate.cli.render.lifecycle.size import show_status
    from quorate.core.configuration import load_settings
    from quorate.ensemble.series.sizing_file import read_sizing
    from quorate.lifecycle.drift.watched import open_bundle
    from quorate.lifecycle.sizing.status import gates

    settings = load_settings()
    _, loaded = open_bundle(bundle, settings)
    overlay = read_sizing(bundle, loaded.id)
    document = {
        "bundle": loaded.id,
        "applied": settings.sizing.apply,
        "overlay": None if overlay is None else dict(overlay),
        "gates": gates(Path(bundle), settings.sizing),
    }
    output.print_json(document) if as_json else show_status(document)


def _settings(learner: SizingLearner | None) -> Settings:
    from quorate.core.configuration import load_settings

    settings = load_settings()
    return settings if learner is None else replace(settings, sizing=replace(settings.sizing, learner=learner))
