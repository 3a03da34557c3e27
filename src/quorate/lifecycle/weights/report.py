"""The report of a search for weights as one HTML file, with the gate's behaviour."""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np

from quorate.core.files import write_text_atomic
from quorate.core.redaction import redact_known
from quorate.evaluation.report.charts.svg import Chart, legend, line_class, ticks
from quorate.evaluation.report.page.template import Html, Page
from quorate.lifecycle.weights.gate import Gate
from quorate.lifecycle.weights.tables import decision_table, difference_table, fold_table, scheme_table, weight_table
from quorate.lifecycle.weights.weight_search import WeightSearch

_REACH = np.linspace(-2.5, 2.5, 41)  # standard deviations shown


def write_weight_report(path: Path, search: WeightSearch) -> None:
    """Write the report atomically; its folder is created.

    Raises:
        DataError: the file cannot be written.
    """
    write_text_atomic(path, redact_known(render_weight_report(search)))


def render_weight_report(search: WeightSearch) -> str:
    """The report as HTML text, which needs no network."""
    document = search.document
    page, drawn = Page(synthetic=document["synthetic"]), gate_charts(search)
    body = [
        page.section("Weights", page.table(weight_table(document))),
        page.section(
            "Out of fold",
            page.table(scheme_table(document)),
            page.table(difference_table(document)),
            page.table(decision_table(document)),
            page.table(fold_table(document)),
        ),
        page.section(
            "Gate",
            page.prose("Fitted on all rows", [_gate_sentence(search)]),
            page.row(
                *(
                    page.chart(drawn.get(name, ""), f"Weights against {name}", f"{about}; others at their mean")
                    for name, about in document["regime"].items()
                )
            ),
        ),
    ]
    provenance = document["provenance"]
    about = (
        f"{document['rows']:,} rows of {len(document['symbols'])} markets, {document['timeframe']}, "
        f"{document['from'][:10]} to {document['to'][:10]}, {document['folds']} folds."
    )
    return page.document(
        "Member weights",
        Html(f"<h1>Member weights</h1><p>{escape(document['verdict'])}</p><p>{escape(about)}</p>"),
        Html("".join(body)),
        footer=[f"{provenance['command']} on {provenance['data']}, {provenance['code']}, {provenance['measured']}."],
    )


def gate_charts(search: WeightSearch) -> dict[str, str]:
    """Column of the regime -> chart of the members' weights along it, others at their mean; of the gate of all rows."""
    gate = search.comparison.nested.final["gated"].weighting
    if not isinstance(gate, Gate):
        return {}
    found = {}
    styles = [(member, line_class(number)) for number, member in enumerate(gate.members)]
    for place, column in enumerate(gate.columns):
        weights = gate.along(column, _REACH)
        x = (gate.mean[place] + gate.scale[place] * _REACH).tolist()
        ends = ", ".join(f"{name} {weights[0, n]:.2f} to {weights[-1, n]:.2f}" for n, name in enumerate(gate.members))
        chart = Chart((x[0], x[-1]), (0.0, 1.0), f"Weights along {column}: {ends}")
        chart.axes(ticks(x[0], x[-1], "{:.3g}".format), ticks(0.0, 1.0, "{:.1f}".format), column)
        for number, (_, style) in enumerate(styles):
            chart.line(x, weights[:, number].tolist(), style)
        found[column] = legend(styles) + chart.svg()
    return found


def _gate_sentence(search: WeightSearch) -> str:
    strength = search.document["strengths"]["gated"]
    kept = "kept" if "gated" in search.document["kept"] else "not kept: the vote has the same weights on every bar"
    if strength is None:
        return f"The choice inside is no gate at all: documented weights on every bar ({kept})."
    return f"Penalty {strength:g}; {kept}."
