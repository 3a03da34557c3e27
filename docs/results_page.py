"""Write docs/results.md: metrics of the present recipe on real candles, with the command that reproduces them.

    python docs/results_page.py --data DATA/binance [--models A,B] [--top N --from DATE --to DATE --folds N]

It runs `quorate evaluate` once, which takes minutes (hours with networks), and writes the figures, good or bad.
`--json FILE` keeps the JSON document; `--document FILE` writes the page from such a document, without a run.
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
    """Run the evaluation and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    home = os.environ.get("QUORATE_DATA")
    parser.add_argument(
        "--data", default=None if home is None else f"{home}/binance", help="default: QUORATE_DATA/binance"
    )
    parser.add_argument("--timeframe", default="1h")
    parser.add_argument("--top", default="60")
    parser.add_argument("--from", dest="start", default="2024-11-01")
    parser.add_argument("--to", dest="end", default="2025-10-14")
    parser.add_argument("--folds", default="5")
    parser.add_argument("--models", help="members of the walk-forward; default: those of the recipe")
    parser.add_argument("--report", help="file of the HTML report; default: none")
    parser.add_argument("--json", help="file of the JSON document")
    parser.add_argument("--document", help="write the page from this JSON document, without a run")
    options = parser.parse_args(arguments)
    if options.document:
        text = Path(options.document).read_text(encoding="utf-8")
    else:
        if options.data is None:
            parser.error("no candles: pass --data, or set QUORATE_DATA")
        line = [
            "evaluate", "--data", options.data, "--timeframe", options.timeframe, "--top", options.top,
            "--from", options.start, "--to", options.end, "--folds", options.folds,
            *(["--models", options.models] if options.models else []),
            *(["--report", options.report] if options.report else []),
        ]  # fmt: skip
        program = Path(sys.executable).parent / "quorate"
        done = subprocess.run([program, *line, "--json"], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            return done.returncode
        text = done.stdout
    document = json.loads(text)
    if options.json:
        Path(options.json).write_text(text, encoding="utf-8")
    PAGE.write_text(page(document), encoding="utf-8")
    return 0


def page(document: Mapping[str, Any]) -> str:
    """The page of a document of `quorate evaluate --json`."""
    figures = dict(document)
    met = [row["ok"] for row in figures["criteria"]]
    provenance, intervals = figures["provenance"], figures["intervals"]
    cost = ", ".join(f"{stage} {seconds:,.0f} s" for stage, seconds in figures["cost"].items())
    lines = [
        "# Results",
        "",
        f"Measured {provenance['measured'][:10]} by `{command(provenance['command'], provenance['data'])}` and written "
        "by `python docs/results_page.py`. The tables are those of the terminal and of the HTML report.",
        "",
        f"{figures['symbols']} perpetuals, {figures['timeframe']} bars, members {', '.join(figures['models'])} on the "
        f"features `{figures['features']}`, trained in {len(figures['folds'])} {figures['training']} folds and "
        f"evaluated on the {figures['rows']:,} labelled bars after them, {figures['from'][:10]} to "
        f"{figures['to'][:10]}. {intervals['confidence']:.0%} intervals resample {intervals['blocks']} blocks of "
        f"{intervals['block_hours']} hours, with all symbols of a block. Data `{provenance['data_hash']}`, "
        f"code `{provenance['code']}`; {cost}.",
        "",
        f"**Of {len(met)} criteria {met.count(True)} are met, {met.count(False)} are not, and "
        f"{met.count(None)} cannot be evaluated here.** {conclusion(figures)}",
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


def conclusion(figures: Mapping[str, Any]) -> str:
    """Skill and trading result in a sentence each, by their intervals."""
    skill, expectancy = figures["ensemble"]["skill_vs_prior_ci"], figures["trades"].get("expectancy_bps_ci")
    scores = _side(skill, "better than", "worse than", "not distinguishable from")
    return f"The ensemble's scores are {scores} the class prior. " + (
        f"After costs its trades {_side(expectancy, 'make a profit', 'make a loss', 'show no significant result')}."
        if figures["trades"]["n"]
        else "It opens no trade."
    )


def _side(ends: Sequence[float] | None, above: str, below: str, neither: str) -> str:
    if ends is None:
        return neither
    return above if ends[0] > 0 else below if ends[1] < 0 else neither


def command(line: str, data: str) -> str:
    """The command without this machine's folder and the options that only this script needs."""
    words = ["DATA/binance" if word == data else word for word in shlex.split(line) if word != "--json"]
    if "--report" in words:
        place = words.index("--report")
        del words[place : place + 2]
    return shlex.join(words)


def as_markdown(table: Table) -> list[str]:
    """A table in Markdown, each figure with its interval or reason."""
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
