"""`quorate paper`: an account on live or replayed candles, its status, and requests to it."""

from __future__ import annotations

import getpass
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options
from quorate.core.errors import ArgumentError

if TYPE_CHECKING:
    from quorate.workflows.paper import PaperRequest, RequestedMove

app = typer.Typer(help="Trade on paper: live candles or stored ones, guards, a journal.", no_args_is_help=True)

Account = Annotated[str | None, typer.Option("--account", help="Its name in the journal; default: paper.account.")]
Url = Annotated[
    str | None,
    typer.Option("--journal", metavar="URL", help="sqlite:///FILE or postgresql://...; default: journal.url."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]
Who = Annotated[str | None, typer.Option("--who", help="Whose decision it is; default: your login name.")]


@app.command("run")
def run(
    bundle: options.BundlePath,
    data: Annotated[Path | None, typer.Option("--data", help="A Freqtrade data folder, for --replay.")] = None,
    exchange: Annotated[
        str | None, typer.Option("--exchange", help="Live candles of this exchange, as ccxt has it: binanceusdm ...")
    ] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", help="Of the bundle; an error if it differs.")] = None,
    symbols: options.Symbols = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, metavar="N", help="The top N perpetuals by quote volume.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Replay stored candles instead of trading live ones.")
    ] = False,
    start: options.Start = None,
    end: options.End = None,
    speed: Annotated[
        float | None, typer.Option("--speed", min=1e-3, help="Bars a second of a replay; as fast as possible without.")
    ] = None,
    account: Account = None,
    journal: Url = None,
    guards: Annotated[bool, typer.Option("--guards/--no-guards", help="Guards and ladder.")] = True,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No log line for HOLD decisions.")] = False,
    as_json: options.Json = False,
) -> None:
    """Run an account from where its journal ends. Ctrl-C ends it after the step at hand."""
    if replay != (data is not None):
        raise ArgumentError(
            "run the paper session",
            found="`replay=True` without `data`" if replay else "`data` without `replay=True`",
            expected="`replay=True` with `data`, or `exchange` for live candles",
        )
    from quorate.cli import output, paper_signals
    from quorate.cli.render import paper as tables
    from quorate.workflows.paper import PaperAccount

    paper_signals.log_to_stderr()
    with ExitStack() as stack:
        with output.progress() as progress:
            session = stack.enter_context(
                PaperAccount(account, journal).session(
                    bundle,
                    data,
                    exchange=exchange,
                    listener=paper_signals.log_records(quiet=quiet),
                    progress=progress,
                    symbols=symbols,
                    top=top,
                    timeframe=timeframe,
                    start=start,
                    end=end,
                    speed=speed,
                    guards=guards,
                    policy=policy,
                    allow_training_span=allow_training_span,
                )
            )
        with paper_signals.until_interrupted(session.stop):
            status = session.run()
    if as_json:
        output.print_json(status.to_json())
    else:
        output.console().print(tables.render(status.to_json()))


@app.command("status")
def status(
    account: Account = None,
    journal: Url = None,
    watch: Annotated[
        float | None, typer.Option("--watch", min=0.2, metavar="SECONDS", help="Show it again and again until Ctrl-C.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show an account's equity, positions, guards and criteria, by its journal alone."""
    from contextlib import closing

    from quorate.cli import output
    from quorate.cli.render import paper as tables
    from quorate.workflows.paper import PaperAccount

    opened = PaperAccount(account, journal)
    if as_json:
        output.print_json(opened.status().to_json())
    elif watch is None:
        output.console().print(tables.render(opened.status().to_json()))
    else:
        with closing(opened.watch()) as statuses:
            tables.watch(statuses, watch)


@app.command("journal")
def journal(
    account: Account = None,
    url: Url = None,
    last: Annotated[int, typer.Option("--last", min=1, metavar="N", help="The newest N records.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    after: Annotated[int, typer.Option("--after", metavar="SEQ", help="Only records after this number.")] = 0,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="Only such records: filled, closed, guard ...; may be repeated.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the records of an account's journal, oldest first."""
    from quorate.cli.render.journal import show
    from quorate.workflows.paper import PaperAccount

    records = PaperAccount(account, url).records(None if everything else last, after=after, kinds=kinds or ())
    show(records, as_json=as_json)


@app.command("copy")
def copy(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="A database that holds no journal yet.")],
    url: Url = None,
    as_json: options.Json = False,
) -> None:
    """Copy the whole journal to another database, to move it or to keep it; no session may be running."""
    from quorate.cli import output
    from quorate.workflows.paper import PaperAccount

    records = PaperAccount(journal=url).copy(to)
    if as_json:
        output.print_json({"records": records})
    else:
        output.print_line(f"copied {records:,} records")


@app.command("rearm")
def rearm(
    guard: Annotated[str, typer.Argument(help="losses, drawdown or confidence.")],
    account: Account = None,
    journal: Url = None,
    who: Who = None,
    note: Annotated[str, typer.Option("--note", help="The reason, for the journal.")] = "",
    yes: Yes = False,
    as_json: options.Json = False,
) -> None:
    """Re-arm a guard that has halted the account; applies from the next bar."""
    from quorate.workflows.paper import PaperAccount

    who = who or getpass.getuser()
    _show(PaperAccount(account, journal).rearm(guard, who=who, note=note, confirm=None if yes else _ask), as_json)


@app.command("promote")
def promote(
    account: Account = None,
    journal: Url = None,
    who: Who = None,
    note: Annotated[str, typer.Option("--note", help="The reason, for the journal.")] = "",
    yes: Yes = False,
    as_json: options.Json = False,
) -> None:
    """Confirm the ladder's next step, where its conditions are met; applies from the next bar."""
    from quorate.workflows.paper import PaperAccount

    who = who or getpass.getuser()
    _show(PaperAccount(account, journal).promote(who=who, note=note, confirm=None if yes else _ask), as_json)


def _ask(move: RequestedMove) -> bool:
    question = f"{move.account}: {move.what}: {move.before} -> {move.after}, decided by {move.who}. Sure?"
    return typer.confirm(question, abort=True, err=True)


def _show(request: PaperRequest | None, as_json: bool) -> None:
    from quorate.cli import output

    if request is None:  # not confirmed: typer has ended the program
        return
    if as_json:
        output.print_json(request.to_json())
    else:
        output.print_line("recorded; applies from the next bar")
