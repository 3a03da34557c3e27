"""The report of a search for weights as one HTML file, with the gate's behaviour."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quorate.core.files import write_text_atomic
from quorate.core.redaction import redact_known
from quorate.evaluation.report.plotly_json import Plot, colour_of, plot
from quorate.evaluation.report.template import Html, Page
from quorate.lifecycle.weights.gate import Gate
from quorate.lifecycle.weights.tables import decision_table, difference_table, fold_table, scheme_table, weight_table
from quorate.lifecycle.weights.weight_search import WeightSearch

_REACH = np.linspace(-2.5, 2.5, 41)  # standard deviations shown


def write_weight_report(path: Path, search: WeightSearch) -> None:
    """Write the report atomically; its folder is created.

    Raises:
        MissingExtraError: plotly is not installed.
        DataError: the file cannot be written.
    """
    write_text_atomic(path, redact_known(render_weight_report(search)))


def render_weight_report(search: WeightSearch) -> str:
    """The report as HTML text, which needs no network.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    document = search.document
    page, drawn = Page(synthetic=document["synthetic"]), gate_plots(search)
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
            *(
                page.plot(drawn, name, f"Weights against {name}", f"{about}; the other columns at their mean")
                for name, about in document["regime"].items()
            ),
        ),
    ]
    provenance = document["provenance"]
    return page.document(
        "Member weights",
        [
            document["verdict"],
            f"{document['rows']:,} rows of {len(document['symbols'])} markets, {document['timeframe']}, "
            f"{document['from'][:10]} to {document['to'][:10]}, {document['folds']} folds.",
        ],
        Html("".join(body)),
        warnings=[],
        footer=[f"{provenance['command']} on {provenance['data']}, {provenance['code']}, {provenance['measured']}."],
        plots=drawn,
    )


def gate_plots(search: WeightSearch) -> dict[str, Plot]:
    """Column of the regime -> weight of each member along it, the others at their mean; of the gate of all rows."""
    gate = search.comparison.nested.final["gated"].weighting
    if not isinstance(gate, Gate):
        return {}
    found = {}
    for place, column in enumerate(gate.columns):
        weights = gate.along(column, _REACH)
        x = [float(f"{value:.6g}") for value in (gate.mean[place] + gate.scale[place] * _REACH).tolist()]
        traces: list[Plot] = [
            {
                "type": "scatter",
                "mode": "lines",
                "name": member,
                "x": x,
                "y": [float(f"{value:.6g}") for value in weights[:, number].tolist()],
                "line": {"color": colour_of(number), "width": 2},
            }
            for number, member in enumerate(gate.members)
        ]
        found[column] = plot(traces, x={"title": column}, y={"title": "weight", "range": [0, 1]})
    return found


def _gate_sentence(search: WeightSearch) -> str:
    strength = search.document["strengths"]["gated"]
    kept = "kept" if "gated" in search.document["kept"] else "not kept: the vote has the same weights on every bar"
    if strength is None:
        return f"The choice inside is no gate at all: documented weights on every bar ({kept})."
    return f"Penalty {strength:g}; {kept}."
