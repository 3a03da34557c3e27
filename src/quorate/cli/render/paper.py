"""The status of a paper account, as tables for a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quorate.cli import output
from quorate.core.text import counted
from quorate.trading.account.currency import in_currency
from quorate.workflows.results.headline import marks_of

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.text import Text

    from quorate.workflows.paper import PaperStatus

_TONES = {"ACTIVE": "green", "REDUCING": "yellow", "HALTED": "red", "pass": "green", "FAIL": "red"}


def watch(statuses: Iterator[PaperStatus], seconds: float, *, full: bool = False) -> None:
    """Draw the status repeatedly until Ctrl-C.

    Args:
        statuses: yields the current status each time.
        seconds: between two of them.
        full: all tables.
    """
    from rich.live import Live

    console = output.console()
    with Live(render(next(statuses).document, full=full), console=console, screen=False, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(seconds)
                live.update(render(next(statuses).document, full=full), refresh=True)
        except KeyboardInterrupt:
            return


def render(found: Mapping[str, Any], *, full: bool = False, just_ran: bool = False) -> Group:
    """The status: the account, its positions and tripped guards, and the verdict.

    Args:
        found: the document of `quorate paper status --json`.
        full: also all guards, the ladder, the decisions, the success criteria and the feed's notices.
        just_ran: its session has just ended, so that it is plain that nobody runs it.
    """
    from rich.console import Group
    from rich.text import Text

    currency = found["currency"]
    parts: list[Any] = list(marks_of(found))
    parts.append(_table("Account", ("", ""), _account(found, just_ran=just_ran), prose=True))
    if found["positions"]:
        parts.append(_held(found) if found["by_target"] else _positions(found["positions"], currency))
    guards = [guard for guard in found["guards"] or () if full or guard["mode"] != "ACTIVE"]
    if guards:
        parts.append(_guards(guards, currency))
    if full:
        parts += _more(found, currency)
    if found["criteria"]:
        met = sum(row["ok"] is True for row in found["criteria"])
        more = "" if full else "; guards, ladder, decisions and criteria: --full"
        parts.append(Text(f"{met} of {len(found['criteria'])} success criteria met{more}"))
    parts += [Text(line) for line in (found["verdict"]["sentence"], *found["verdict"]["details"])]
    return Group(*parts)


def _more(found: Mapping[str, Any], currency: str) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if found["ladder"] is not None:
        parts.append(_ladder(found["ladder"], currency))
    if not found["by_target"]:
        parts.append(_mix(found["decisions"]))
        parts.append(_criteria(found["criteria"], currency))
    if found["webhook"] is not None:
        parts.append(_table("Webhook", ("", ""), [(name, f"{count}") for name, count in found["webhook"].items()]))
    if found["feed"]:
        rows = [(note["time"], note["notice"], note["symbol"] or "all", note["detail"]) for note in found["feed"]]
        parts.append(_table("Feed", ("bar", "notice", "market", ""), rows, prose=True))
    return parts


def _account(found: Mapping[str, Any], *, just_ran: bool) -> list[tuple[str, str | Text]]:
    session, stats, currency, drift = found["session"], found["stats"], found["currency"], found["drift"]
    members = ", ".join(f"{model}: {what}" for model, what in found["members"].items())
    rows: list[tuple[str, str | Text]] = [
        ("account", f"{found['account']} ({session['kind']}, session {session['number']}, started {session['began']})"),
        ("mode", _toned(found["mode"]) if just_ran else _mode(found)),
        ("equity", f"{found['equity_usd']:,.2f} {currency}, started with {found['start_equity_usd']:,.2f}"),
        ("trades", f"{stats['n']}, {stats['wins']} won, net {stats['net_usd']:+,.2f} {currency}"),
        *(
            [("drift", f"{drift['reason']}; new entries with {drift['stake_factor']:.0%} of the ordinary stake")]
            if drift["alarm"]
            else []
        ),
        (
            "open",
            f"{counted(len(found['positions']), 'position')}, "
            f"{counted(len(found['pending']), 'order')} for the next open",
        ),
        ("last bar", f"{found['last_bar'] or 'none yet'} of {found['timeframe']}, written {found['written_at']}"),
        ("book" if found["by_target"] else "bundle", found["bundle"]),
        ("exposure", _exposure(found)) if found["by_target"] else ("members", members or "no bar yet"),
    ]
    rows += [("requested", f"{one['action']} {one['guard']} by {one['who']}, next bar") for one in found["requests"]]
    return rows


def _exposure(found: Mapping[str, Any]) -> str:
    """Values of all positions, as multiples of the equity."""
    if not found["equity_usd"] > 0:
        return "n/a"
    weights = [held["weight"] for held in found["positions"]]
    return f"{sum(map(abs, weights)):.2f} times the equity, net {sum(weights):+.2f}"


def _mode(found: Mapping[str, Any]) -> Text:
    """Mode of the account, and since when nobody runs it."""
    from rich.text import Text

    mode = _toned(found["mode"])
    if found["session"]["running"] is not False:
        return mode
    written = found["written_at"].replace("T", " ").removesuffix("Z")
    return Text.assemble(mode, (f", not running since {written} UTC", "yellow"))


def _held(found: Mapping[str, Any]) -> RenderableType:
    """Positions by target, the largest weight first."""
    rows = [
        (
            held["symbol"],
            "n/a" if held["weight"] is None else f"{held['weight']:+.1%}",
            f"{held['quantity']:.6g}",
            f"{held['entry_price']:.6g}",
            f"{held['mark']:.6g}",
            f"{held['unrealised_usd']:+,.2f}",
        )
        for held in sorted(found["positions"], key=lambda held: -abs(held["weight"] or 0.0))
    ]
    return _table("Positions", ("symbol", "weight", "quantity", "entry", "mark", found["currency"]), rows)


def _positions(positions: Sequence[Mapping[str, Any]], currency: str) -> RenderableType:
    rows = [
        (
            held["symbol"],
            held["side"],
            f"{held['quantity']:.6g}",
            f"{held['leverage']:g}x",
            f"{held['entry_price']:.6g}",
            f"{held['mark']:.6g}",
            *("-" if held[level] is None else f"{held[level]:.6g}" for level in ("stop", "target")),
            f"{held['unrealised_usd']:+,.2f}",
            held["due"] or "-",
        )
        for held in positions
    ]
    names = ("symbol", "side", "quantity", "leverage", "entry", "mark", "stop", "target", currency, "closes by")
    return _table("Positions", names, rows)


def _guards(guards: Sequence[Mapping[str, Any]], currency: str) -> RenderableType:
    rows = [
        (
            guard["guard"] + (f" {guard['symbol']}" if guard["symbol"] else ""),
            _toned(guard["mode"]),
            guard_until(guard),
            in_currency(
                guard["state"] if guard["mode"] == "ACTIVE" else f"{guard['reason']} ({guard['state']})", currency
            ),
        )
        for guard in guards
    ]
    return _table("Guards", ("guard", "mode", "until", ""), rows, prose=True)


def guard_until(guard: Mapping[str, Any]) -> str:
    """Until when a guard holds: a time, or what ends it."""
    if guard["mode"] == "ACTIVE":
        return "-"
    by = "a person re-arms it" if guard["rearm"] == "human" else "it clears by itself"
    return f"{guard['until']}, and {by}" if guard["until"] else by


def _ladder(ladder: Mapping[str, Any], currency: str) -> RenderableType:
    title = (
        f"Ladder: step {ladder['step']} of {ladder['steps']}, ${ladder['capital_usd']:g}, "
        f"{ladder['positions']} positions, {ladder['leverage']:g}x"
    )
    rows = [
        (
            row["name"],
            in_currency(row["needed"], currency),
            in_currency(row["found"], currency),
            "yes" if row["ok"] else "no",
        )
        for row in ladder["next"]
    ]
    return _table(in_currency(title, currency), ("for the next step", "needed", "found", "met"), rows)


def _mix(decisions: Mapping[str, Any]) -> RenderableType:
    rows = [(name, f"{share:.1%}") for name, share in decisions["mix"].items()]
    actions = ", ".join(f"{name} {count}" for name, count in decisions["actions"].items())
    return _table(f"Consensus of {decisions['decided']:,} decisions ({actions})", ("", "share"), rows)


def _criteria(criteria: Sequence[Mapping[str, Any]], currency: str) -> RenderableType:
    results = {True: _toned("pass"), False: _toned("FAIL")}
    rows = [
        (
            row["name"],
            in_currency(row["target"], currency),
            in_currency(row["shown"], currency),
            results.get(row["ok"], row["note"]),
        )
        for row in criteria
    ]
    return _table("Success criteria", ("criterion", "target", "measured", ""), rows)


def _table(
    title: str, names: Sequence[str], rows: Sequence[Sequence[str | Text]], *, prose: bool = False
) -> RenderableType:
    """A table; where the terminal is too narrow for it, a block of lines for each row."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from quorate.evaluation.report.formatting import Cell
    from quorate.evaluation.report.formatting import Table as Texts

    table = Table(
        title=title,
        box=box.SIMPLE_HEAD if any(names) else None,
        show_header=any(names),
        title_justify="left",
        title_style="bold",
    )
    for number, name in enumerate(names):
        table.add_column(name, no_wrap=not (prose and number == len(names) - 1))
    for row in rows:
        # Texts of a journal are not markup.
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    words = [names[-1], *(str(row[-1]) for row in rows)] if prose else []
    if output.fits(table, output.console(), words):
        return table
    cells = tuple(tuple(Cell(str(cell)) for cell in row) for row in rows)
    return Text("\n".join(output.stacked(title, Texts(title, tuple(names), cells))))


def _toned(word: str) -> Text:
    from rich.text import Text

    return Text(word, style=_TONES[word])
