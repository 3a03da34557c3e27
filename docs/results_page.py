"""Writes docs/results.md: what today's recipe is worth on real candles, with the command that says so again.

    python docs/results_page.py --data DATA/binance [--models A,B] [--top N --from DATE --to DATE --folds N]

It runs `quorate evaluate` once, which takes minutes (hours with networks), and writes what comes out, whatever it is.
`--json FILE` keeps the whole document; `--document FILE` writes the page anew from one, without another run.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quorate.evaluation.report.breakdown_tables import month_table
from quorate.evaluation.report.formatting import Cell, Table
from quorate.evaluation.report.tables import tables

PAGE = Path(__file__).parent / "results.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    home = os.environ.get("QUORATE_DATA")
    parser.add_argument("--data", default=None if home is None else f"{home}/binance", help="else QUORATE_DATA/binance")
    parser.add_argument("--timeframe", default="1h")
    parser.add_argument("--top", default="60")
    parser.add_argument("--from", dest="start", default="2024-11-01")
    parser.add_argument("--to", dest="end", default="2025-10-14")
    parser.add_argument("--folds", default="5")
    parser.add_argument("--models", help="members of the walk-forward; the recipe's own if not given")
    parser.add_argument("--report", help="where the HTML page of the run goes; none if not given")
    parser.add_argument("--json", help="where the whole document goes")
    parser.add_argument("--document", help="a document that is there already: nothing is run")
    asked = parser.parse_args(arguments)
    if asked.document:
        text = Path(asked.document).read_text(encoding="utf-8")
    else:
        if asked.data is None:
            parser.error("name the folder of candles with --data, or QUORATE_DATA")
        line = [
            "evaluate", "--data", asked.data, "--timeframe", asked.timeframe, "--top", asked.top,
            "--from", asked.start, "--to", asked.end, "--folds", asked.folds,
            *(["--models", asked.models] if asked.models else []),
            *(["--report", asked.report] if asked.report else []),
        ]  # fmt: skip
        program = [sys.executable, "-c", "import sys; sys.argv[0] = 'quorate'; from quorate.cli.app import run; run()"]
        done = subprocess.run([*program, *line, "--json"], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            return done.returncode
        text = done.stdout
    document = json.loads(text)
    if asked.json:
        Path(asked.json).write_text(text, encoding="utf-8")
    PAGE.write_text(page(document), encoding="utf-8")
    return 0


def page(document: Mapping[str, Any]) -> str:
    """The whole page, from the document of `quorate evaluate --json`."""
    figures = dict(document)
    kept = [row["ok"] for row in figures["criteria"]]
    provenance, intervals = figures["provenance"], figures["intervals"]
    spent = ", ".join(f"{stage} {seconds:,.0f} s" for stage, seconds in figures["cost"].items())
    lines = [
        "# Results",
        "",
        f"Measured {provenance['measured'][:10]} by `{command(provenance['command'], provenance['data'])}` and written "
        "by `python docs/results_page.py`, whatever came out. The tables are those of the terminal and of the page.",
        "",
        f"{figures['symbols']} perpetuals, {figures['timeframe']} bars, members {', '.join(figures['models'])} on the "
        f"features `{figures['features']}`, trained anew in {len(figures['folds'])} {figures['training']} folds and "
        f"judged on the {figures['rows']:,} labelled bars after them, {figures['from'][:10]} to {figures['to'][:10]}. "
        f"{intervals['confidence']:.0%} intervals resample {intervals['blocks']} blocks of {intervals['block_hours']} "
        f"hours, all symbols together. Data `{provenance['data_hash']}`, code `{provenance['code']}`; {spent}.",
        "",
        f"**Of {len(kept)} promises {kept.count(True)} are kept, {kept.count(False)} are broken, and "
        f"{kept.count(None)} cannot be judged here.** {verdict(figures)}",
        "",
        *(f"> {warning}\n" for warning in figures["warnings"]),
    ]
    for table in (*tables(figures), month_table(figures)):
        lines += [*as_markdown(table), ""]
        if table.title == "Selection bias":
            ledger = provenance["ledger"]
            lines += [figures["deflation"]["about"].replace(ledger, Path(ledger).name), ""]
            lines += [figures["overfitting"]["about"], ""]
    return "\n".join(lines)


def verdict(figures: Mapping[str, Any]) -> str:
    """Skill and money in a sentence each, by their intervals."""
    skill, expectancy = figures["ensemble"]["skill_vs_prior_ci"], figures["trades"].get("expectancy_bps_ci")
    scores = _side(skill, "better than", "worse than", "not told apart from")
    return f"The ensemble's scores are {scores} the class prior. " + (
        f"After costs its trades {_side(expectancy, 'earn', 'lose', 'can be told neither to earn nor to lose')}."
        if figures["trades"]["n"]
        else "It opens no trade at all."
    )


def _side(ends: Sequence[float] | None, above: str, below: str, neither: str) -> str:
    if ends is None:
        return neither
    return above if ends[0] > 0 else below if ends[1] < 0 else neither


def command(typed: str, data: str) -> str:
    """The command without the folder of one machine, and without what only the page needed."""
    words = ["DATA/binance" if word == data else word for word in shlex.split(typed) if word != "--json"]
    if "--report" in words:
        place = words.index("--report")
        del words[place : place + 2]
    return shlex.join(words)


def as_markdown(table: Table) -> list[str]:
    """A table of the page, each figure with its interval or its reason beside it."""
    if not table.rows:
        return []
    columns = [column or " " for column in table.columns]
    return [
        f"## {table.title}",
        "",
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(_text(cell) for cell in row)} |" for row in table.rows),
    ]


def _text(cell: Cell) -> str:
    beside = cell.interval or cell.reason
    return f"{cell.text} ({beside})" if beside and cell.text else cell.text or beside


if __name__ == "__main__":
    sys.exit(main())
