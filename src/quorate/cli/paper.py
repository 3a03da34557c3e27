"""`quorate paper`: an account on live or replayed candles, and what a person may do beside it."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.trading.journal import HumanRecord, Journal, Role

app = typer.Typer(help="Trade on paper: live candles or stored ones, guards, a journal.", no_args_is_help=True)

Account = Annotated[str | None, typer.Option("--account", help="Its name in the journal; else paper.account.")]
Url = Annotated[
    str | None, typer.Option("--journal", metavar="URL", help="sqlite:///FILE or postgresql://...; else journal.url.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]
Who = Annotated[str | None, typer.Option("--who", help="Whose decision it is; else your login name.")]


@app.command("run")
def run(
    bundle: options.BundlePath,
    data: Annotated[Path | None, typer.Option("--data", help="A Freqtrade data folder, for --replay.")] = None,
    exchange: Annotated[
        str | None, typer.Option("--exchange", help="Live candles of this exchange, as ccxt has it: binanceusdm ...")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option("--timeframe", help="Of the bundle; refused where it differs.")
    ] = None,
    symbols: options.Symbols = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, metavar="N", help="The N perpetuals of most quote volume.")
    ] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Play stored candles again instead of live ones.")] = False,
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
    quiet: Annotated[bool, typer.Option("--quiet", help="No line for decisions that are HOLD.")] = False,
    as_json: options.Json = False,
) -> None:
    """Run an account from where its journal says it is. Ctrl-C ends it after the step at hand."""
    if replay == (exchange is not None) or replay != (data is not None):
        raise typer.BadParameter("Choose the candles: --replay with --data DIR, or --exchange NAME.")
    if not replay and (start is not None or end is not None or speed is not None):
        raise typer.BadParameter("--from, --to and --speed are for --replay.")
    if symbols is not None and top is not None:
        raise typer.BadParameter("Name the markets once: --symbols A,B or --top N.")
    if replay and top is not None and start is None:
        raise typer.BadParameter("--top ranks by volume before the span: say where that begins with --from.")
    from quorate.cli import paper_run

    paper_run.run(
        paper_run.Asked(
            bundle=bundle,
            data=data,
            exchange=exchange,
            timeframe=timeframe,
            symbols=options.split_symbols(symbols),
            top=top,
            start=start,
            end=end,
            speed=speed,
            account=account,
            journal=journal,
            guards=guards,
            policy=policy,
            allow_training_span=allow_training_span,
            quiet=quiet,
            as_json=as_json,
        )
    )


@app.command("status")
def status(
    account: Account = None,
    journal: Url = None,
    watch: Annotated[
        float | None, typer.Option("--watch", min=0.2, metavar="SECONDS", help="Show it again and again until Ctrl-C.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show how an account stands, by its journal alone."""
    from quorate.cli import output, paper_status
    from quorate.core.configuration import load_settings

    settings = load_settings()
    with open_journal(settings, account, journal, "reader") as opened:
        if as_json:
            output.print_json(paper_status.document(opened, settings))
        elif watch is None:
            output.console().print(paper_status.render(paper_status.document(opened, settings)))
        else:
            paper_status.watch(opened, settings, watch)


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
    """List what an account has written down, oldest first."""
    from quorate.cli import paper_journal
    from quorate.core.configuration import load_settings

    with open_journal(load_settings(), account, url, "reader") as opened:
        paper_journal.show(opened, None if everything else last, after, kinds or (), as_json=as_json)


@app.command("copy")
def copy(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="A database that holds no journal yet.")],
    url: Url = None,
    as_json: options.Json = False,
) -> None:
    """Copy the whole journal to another database, to move it there or to keep it; no session may be running."""
    from quorate.cli import output
    from quorate.core.configuration import load_settings
    from quorate.trading.journal.copy import copy as copy_journal

    settings = load_settings()
    records = copy_journal(url or settings.journal.url, to, settings.journal)
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
    note: Annotated[str, typer.Option("--note", help="Why, for the journal.")] = "",
    yes: Yes = False,
    as_json: options.Json = False,
) -> None:
    """Re-arm a guard that has halted the account; the session heeds it at the next bar."""
    _ask("rearm", guard, account, journal, who, note, yes=yes, as_json=as_json)


@app.command("promote")
def promote(
    account: Account = None,
    journal: Url = None,
    who: Who = None,
    note: Annotated[str, typer.Option("--note", help="Why, for the journal.")] = "",
    yes: Yes = False,
    as_json: options.Json = False,
) -> None:
    """Confirm the ladder's next step, where all that it asks for is there; the session heeds it at the next bar."""
    _ask("promote", "", account, journal, who, note, yes=yes, as_json=as_json)


def open_journal(settings: Settings, account: str | None, url: str | None, role: Role) -> Journal:
    """The journal that the options or the settings name.

    Raises:
        JournalError: see `Journal.open`.
    """
    from quorate.trading.journal import Journal

    return Journal.open(
        url or settings.journal.url, account or settings.paper.account, role=role, settings=settings.journal
    )


def _ask(
    action: Literal["rearm", "promote"],
    guard: str,
    account: str | None,
    url: str | None,
    who: str | None,
    note: str,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Write down what a person asks for, once the account as it stands allows it and the person has confirmed."""
    from quorate.cli import output
    from quorate.core.clock import now_ms
    from quorate.core.configuration import load_settings
    from quorate.core.errors import GuardError
    from quorate.trading.journal import HumanRecord
    from quorate.trading.paper import AccountStatus

    settings = load_settings()
    person = who or getpass.getuser()
    with open_journal(settings, account, url, "human") as journal:
        standing = AccountStatus(journal)
        desk, last = standing.desk, standing.recovered.valued
        time = standing.history.started[-1].time if last is None else last.time
        if desk.guards is None or desk.ladder is None:
            raise GuardError(f"{action} the account '{journal.account}'", found="a session without guards")
        # Refused here where it can be known, so that nobody waits a bar to learn it.
        move = desk.guards.rearm(guard, time, person) if action == "rearm" else desk.ladder.promote(time, person)
        question = f"{journal.account}: {guard or 'ladder'}: {move.before} -> {move.after}, decided by {person}. Sure?"
        if not yes:
            typer.confirm(question, abort=True, err=True)
        asked = HumanRecord(time=time, at=now_ms(), action=action, guard=guard, who=person, note=note)
        journal.append([asked])
    if as_json:
        output.print_json(_asked(asked))
    else:
        output.print_line("written down; the session heeds it at the next bar")


def _asked(asked: HumanRecord) -> dict[str, Any]:
    from quorate.core.clock import iso_ms

    return {"action": asked.action, "guard": asked.guard, "who": asked.who, "note": asked.note, "at": iso_ms(asked.at)}
