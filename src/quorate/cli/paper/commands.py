"""The commands of `quorate paper`."""

from __future__ import annotations

import typer

from quorate.cli.paper import read, requests, run

app = typer.Typer(help="Trade on paper, on live or stored candles.", no_args_is_help=True)
app.command("run")(run.run)
app.command("status")(read.status)
app.command("performance")(read.performance)
app.command("report")(read.report)
app.command("journal")(read.journal)
app.command("copy")(read.copy)
app.command("rearm")(requests.rearm)
app.command("promote")(requests.promote)
