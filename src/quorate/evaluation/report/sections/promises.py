"""The success criteria as a line of chips, those of the recipe that ran."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from quorate.evaluation.report.page.template import Html
from quorate.trading.account.currency import in_currency

if TYPE_CHECKING:
    from quorate.evaluation.report.reported_run import ReportedRun

_STATES = {True: ("pass", "✓"), False: ("fail", "✗"), None: ("open", "·")}


def promises(run: ReportedRun) -> Html:
    """A chip for each criterion: what was promised, what was measured, and whether it is met."""
    items = []
    for row in run.criteria:
        state, mark = _STATES[row["ok"]]
        note = row["note"].removeprefix("n/a: ")
        why = f" ({note})" if note else ""
        shown, target = (in_currency(row[key], run.currency) for key in ("shown", "target"))
        items.append(
            f'<li class="{state}"><b>{mark}</b> {escape(row["name"])} {escape(shown)}{escape(why)} '
            f'<span class="muted">target {escape(target)}</span></li>'
        )
    return Html(f'<ul class="chips">{"".join(items)}</ul>' if items else "")
