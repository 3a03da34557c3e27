"""`quorate paper status`, `performance`, `report`, `journal` and `copy`: what an account's journal has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options
from quorate.cli.paper.account_options import Account, Full, Url


def status(
    account: Account = None,
    journal: Url = None,
    watch: Annotated[
        float | None,
        typer.Option("--watch", min=0.2, metavar="SECONDS", help="Show it every so many seconds until Ctrl-C."),
    ] = None,
    full: Full = False,
    as_json: options.Json = False,
) -> None:
    """Show equity, positions and verdict of an account, and whether it is running.

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
        output.console().print(tables.render(opened.status().to_json(), full=full))
    else:
        with closing(opened.watch()) as statuses:
            tables.watch(statuses, watch, full=full)


def performance(
    bundle: options.BundlePath,
    account: Account = None,
    journal: Url = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help=options.DATA)] = None,
    exchange: Annotated[
        str | None,
        typer.Option("--exchange", metavar="NAME", help="Instead: candles of this exchange, as ccxt names it."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show how well the model does, on the bars whose outcome is known by now.

    The votes are those of the journal; candles show what happened after them. Of a folder of bundles, the one that the
    account trades by is measured.
    """
    from quorate.cli import output
    from quorate.cli.render import performance as tables
    from quorate.workflows.paper import PaperAccount

    found = PaperAccount(account, journal).performance(bundle, data, exchange=exchange)
    if as_json:
        output.print_json(found.to_json())
    else:
        tables.show(found)


def report(
    bundle: options.BundlePath,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="HTML page to write.")] = Path("paper.html"),
    account: Account = None,
    journal: Url = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help=options.DATA)] = None,
    exchange: Annotated[
        str | None,
        typer.Option("--exchange", metavar="NAME", help="Instead: candles of this exchange, as ccxt names it."),
    ] = None,
    trades: options.Trades = None,
    as_json: options.Json = False,
) -> None:
    """Write the report of an account: equity, trades and verdict, beside holding and random entries.

    The trades and votes are those of the journal; candles are read for the prices and the baselines. Of a folder of
    bundles, the one that the account trades by is taken.
    """
    from quorate.cli import output
    from quorate.core.text import counted
    from quorate.workflows.paper import PaperAccount

    with output.progress() as progress:
        found = PaperAccount(account, journal).evaluate(bundle, data, exchange=exchange, progress=progress)
        page = found.report(out)
    if trades is not None:
        output.note(f"{counted(len(found.result.trades), 'trade')} written to {found.write_trades(trades)}")
    if as_json:
        output.print_json(found.to_json())
    else:
        for line in (found.verdict.sentence, *found.verdict.details):
            output.print_sentence(line)
        output.print_line(f"report: {page}")


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
