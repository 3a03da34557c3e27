"""The command line: its verbs, and where errors become messages and exit codes.

Exit codes: 0 success, 1 refused or failed, 2 wrong usage.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, cast

import typer

from quorate.cli import (
    backtest,
    bundle,
    check,
    data,
    demo,
    doctor,
    evaluate,
    llm,
    paper,
    serve,
    settings,
    signal,
    train,
)
from quorate.cli.flags import error_parts, error_text, flags_of
from quorate.cli.integrations import freqtrade, mcp
from quorate.cli.lifecycle import bench, card, challenge, drift, explain, retrain, select, size, tune, weights
from quorate.cli.shell.failures import outside_failure
from quorate.cli.shell.narrow_help import help_options
from quorate.cli.shell.streams import OutputClosedError, OutputError, SafeStream, discard_output, safe_streams
from quorate.core.errors import ArgumentError, QuorateError
from quorate.core.redaction import register_arguments, register_environment
from quorate.core.sections.sources import CONFIG_VARIABLE
from quorate.core.version import __version__

# The class of click's usage errors; newer versions of Typer have a click of their own.
UsageError = cast(
    "type[typer.BadParameter]", next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")
)

app = typer.Typer(
    name="quorate",
    help="An ensemble of forecasting models for crypto markets that acts only when enough of its members agree.",
    epilog="Exit codes: 0 success, 1 refused or failed, 2 wrong usage.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(data.app, name="data")
app.add_typer(check.app, name="check")
app.add_typer(settings.app, name="settings")
app.command("train")(train.train)
app.command("signal")(signal.signal)
app.command("explain")(explain.explain)
app.command("evaluate")(evaluate.evaluate)
app.command("backtest")(backtest.backtest)
bundle.app.command("card")(card.card)
app.add_typer(bundle.app, name="bundle")
app.command("drift")(drift.drift)
app.add_typer(bench.app, name="bench")
app.add_typer(select.app, name="select")
app.add_typer(paper.app, name="paper")
app.add_typer(challenge.app, name="challenge")
app.command("weights")(weights.weights)
app.command("tune")(tune.tune)
app.add_typer(size.app, name="size")
app.add_typer(llm.app, name="llm")
app.command("serve")(serve.serve)
app.command("retrain")(retrain.retrain)
app.command("token")(serve.token)
app.add_typer(freqtrade.app, name="freqtrade")
app.command("mcp")(mcp.mcp)


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
    """Run one command line and return its exit code.

    With --json, standard output is exactly one document, also after errors.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    register_environment(os.environ)
    register_arguments(given)
    with safe_streams() as (out, err):
        logging.basicConfig(
            level=logging.DEBUG if debug else logging.WARNING,
            format="%(levelname)s %(name)s: %(message)s",
            stream=err,
        )
        try:
            code = _run(given, out, debug=debug)
            out.flush()
        except OutputClosedError:
            discard_output()
            return 1
        except OutputError as error:
            discard_output()
            with suppress(OutputClosedError, OutputError):
                print(f"error: could not write the output: found {error}.", file=err)
            return 1
    return code


def _run(given: Sequence[str], out: SafeStream, *, debug: bool) -> int:
    """Run one command line; errors become messages, and documents where nothing was printed before."""
    error: BaseException
    internal = False
    try:
        # Not standalone: click would print its errors itself, without a document.
        command = typer.main.get_command(app)
        code = command(given, prog_name="quorate", standalone_mode=False, **help_options(command))
        return code if isinstance(code, int) else 0
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except UsageError as wrong:
        buffer = io.StringIO()
        wrong.show(file=buffer)
        print(buffer.getvalue(), end="", file=sys.stderr)
        found = " ".join(wrong.format_message().split())
        if not found and "--json" not in given:
            return wrong.exit_code
        usage = ArgumentError("read the command line", found=found or "no command", remedy="See --help.")
        _print_document(usage, {}, given, out)
        return wrong.exit_code
    except (KeyboardInterrupt, typer.Abort) as stopped:
        error, reported = stopped, QuorateError("finish", found="an interrupt")
    except QuorateError as known:
        error = reported = known
    except (OutputClosedError, OutputError):
        raise
    except Exception as unknown:  # noqa: BLE001 - the last place where an error can become a message
        # An internal error ends without a traceback too, which --debug shows.
        outside = outside_failure(unknown)
        internal = outside is None
        if internal:
            logging.getLogger("quorate").critical("%s: %s", type(unknown).__name__, unknown)
        error = unknown
        reported = outside or QuorateError(
            "finish", found=f"an internal error ({type(unknown).__name__})", remedy="Run again with --debug; report it."
        )
    if debug:
        traceback.print_exception(error)
    _report(reported, given, out, internal=internal)
    return 2 if isinstance(reported, ArgumentError) else 1


def _report(error: QuorateError, arguments: Sequence[str], out: SafeStream, *, internal: bool) -> None:
    """Print one line on standard error, and with --json the same as a document on standard output.

    Nothing is imported here: where files or memory have run out, that would fail too.
    """
    flags = flags_of(typer.main.get_command(app), arguments)
    text = "internal error in quorate; run again with --debug and report it" if internal else error_text(error, flags)
    print(f"error: {text}", file=sys.stderr)
    _print_document(error, flags, arguments, out)


def _print_document(error: QuorateError, flags: Mapping[str, str], arguments: Sequence[str], out: SafeStream) -> None:
    """Print an error as a JSON document, if documents are asked for and none was printed."""
    if "--json" in arguments and not out.written:
        print(json.dumps({"error": {"type": type(error).__name__, **error_parts(error, flags)}}))


def run() -> None:
    """Entry point of the `quorate` program."""
    sys.exit(main())
