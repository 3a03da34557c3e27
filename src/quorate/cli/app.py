"""The command line: its verbs, and where errors become messages and exit codes.

Exit codes: 0 success, 1 refused or failed, 2 wrong usage.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import backtest, bundle, check, data, demo, evaluate, freqtrade, paper, signal, train
from quorate.core.configuration import CONFIG_VARIABLE
from quorate.core.errors import ArgumentError, QuorateError
from quorate.core.version import __version__

app = typer.Typer(
    name="quorate",
    help="An ensemble of forecasting models for crypto markets that acts only when enough of its members agree.",
    epilog="Exit codes: 0 success, 1 refused or failed, 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.add_typer(data.app, name="data")
app.add_typer(check.app, name="check")
app.command("train")(train.train)
app.command("signal")(signal.signal)
app.command("evaluate")(evaluate.evaluate)
app.command("backtest")(backtest.backtest)
app.add_typer(bundle.app, name="bundle")
app.add_typer(paper.app, name="paper")
app.add_typer(freqtrade.app, name="freqtrade")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"quorate {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings file. [default: $QUORATE_CONFIG, or quorate.toml]"),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and debug logs; may stand anywhere.")] = False,  # noqa: ARG001 - main reads it, so that it works after the verb too
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        app(given, prog_name="quorate")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except QuorateError as error:
        if debug:
            raise
        _report(error, given)
        return 2 if isinstance(error, ArgumentError) else 1
    except Exception as error:
        # An internal error ends without a traceback too, which --debug shows; its cause is in the log.
        if debug:
            raise
        logging.getLogger("quorate").critical("%s: %s", type(error).__name__, error)
        print("error: internal error in quorate; run again with --debug and report it", file=sys.stderr)
        return 1
    return 0


def _report(error: QuorateError, arguments: Sequence[str]) -> None:
    """Print one line on standard error, and with --json the same as a document on standard output."""
    from quorate.cli.flags import error_parts, error_text, flags_of

    flags = flags_of(typer.main.get_command(app), arguments)
    print(f"error: {error_text(error, flags)}", file=sys.stderr)
    if "--json" in arguments:
        print(json.dumps({"error": {"type": type(error).__name__, **error_parts(error, flags)}}))


def run() -> None:
    """Entry point of the `quorate` program."""
    sys.exit(main())
