"""`quorate paper`: an account on live or replayed candles, its status and journal, and requests to it."""

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

app = typer.Typer(help="Trade on paper, on live or stored candles.", no_args_is_help=True)

Account = Annotated[
    str | None,
    typer.Option(
        "--account", metavar="NAME", help="Name of the account in the journal. [default: setting paper.account]"
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="URL",
        help="Database of the journal: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME. "
        "[default: setting journal.url]",
    ),
]
Who = Annotated[str | None, typer.Option("--who", metavar="NAME", help=f"{options.WHO} [default: your login name]")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Reason, for the record.")]


@app.command("run")
def run(
    bundle: options.BundlePath,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help=f"{options.DATA} Only with --replay.")
    ] = None,
    exchange: Annotated[
        str | None,
        typer.Option(
            "--exchange", metavar="NAME", help="ccxt's name of the exchange of the live candles, such as binanceusdm."
        ),
    ] = None,
    timeframe: Annotated[
        str | None,
        typer.Option(
            "--timeframe",
            metavar="LENGTH",
            help=f"{options.TIMEFRAME} Refused if it is not the bundle's. [default: the bundle's]",
        ),
    ] = None,
    symbols: Annotated[
        str | None,
        typer.Option(
            "--symbols",
            metavar="A,B",
            help=f"{options.SYMBOLS} [default: those of the training; with --replay: all of its kind]",
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            min=1,
            metavar="N",
            help="Top N perpetuals by quote volume before now; with --replay before --from.",
        ),
    ] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Replay the stored candles of --data.")] = False,
    start: options.Start = None,
    end: options.End = None,
    speed: Annotated[
        float | None,
        typer.Option(
            "--speed", min=1e-3, metavar="N", help="Bars a second of a replay. [default: as fast as possible]"
        ),
    ] = None,
    account: Account = None,
    journal: Url = None,
    guards: Annotated[bool, typer.Option("--guards/--no-guards", help=f"{options.GUARDS}.")] = True,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not log HOLD decisions.")] = False,
    as_json: options.Json = False,
) -> None:
    """Run an account, from where its journal ends.

    On live candles with --exchange, or on stored ones with --replay and --data, which alone take --from, --to and
    --speed. Ctrl-C ends it after the current step; a second Ctrl-C ends it at once.
    """
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
        float | None,
        typer.Option("--watch", min=0.2, metavar="SECONDS", help="Show it every so many seconds until Ctrl-C."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show equity, positions, guards and criteria of an account.

    The status is read from the journal; the account need not be running.
    """
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
    last: Annotated[int, typer.Option("--last", min=1, metavar="N", help="Number of records, the newest ones.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All records, instead of --last.")] = False,
    after: Annotated[int, typer.Option("--after", metavar="N", help="Only records with a larger number.")] = 0,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind", metavar="KIND", help="Only records of this kind, such as filled or closed; may be repeated."
        ),
    ] = None,
    before: Annotated[
        int | None, typer.Option("--before", min=0, metavar="N", help="Only records with a smaller number.")
    ] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", metavar="MARKET", help="Only records of this market.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="Only records whose body has this text.")
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    as_json: options.Json = False,
) -> None:
    """List the records of an account's journal, oldest first."""
    from quorate.cli.render.journal import show
    from quorate.trading.account.currency import currencies
    from quorate.workflows.paper import PaperAccount

    opened = PaperAccount(account, url)
    records = opened.records(
        None if everything else last,
        after=after,
        before=before,
        kinds=kinds or (),
        symbol=symbol,
        text=text,
        start=start,
        end=end,
    )
    started = next(opened.records(1, kinds="started"), None)
    show(records, "" if started is None else currencies(getattr(started.record, "symbols", ())), as_json=as_json)


@app.command("copy")
def copy(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="Database without a journal, in the form of --journal.")
    ],
    url: Url = None,
    as_json: options.Json = False,
) -> None:
    """Copy the whole journal to another database.

    All accounts are copied. Refused while a session is running.
    """
    from quorate.cli import output
    from quorate.workflows.paper import PaperAccount

    records = PaperAccount(journal=url).copy(to)
    if as_json:
        output.print_json({"records": records})
    else:
        output.print_line(f"copied {records:,} records")


@app.command("rearm")
def rearm(
    guard: options.Guard,
    account: Account = None,
    journal: Url = None,
    who: Who = None,
    note: Note = "",
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Re-arm a guard that has halted an account.

    Applies from the next bar.
    """
    from quorate.workflows.paper import PaperAccount

    who = who or getpass.getuser()
    _show(PaperAccount(account, journal).rearm(guard, who=who, note=note, confirm=None if yes else _ask), as_json)


@app.command("promote")
def promote(
    account: Account = None,
    journal: Url = None,
    who: Who = None,
    note: Note = "",
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Confirm the next step of the ladder.

    Refused unless the conditions of the step are met. Applies from the next bar.
    """
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
