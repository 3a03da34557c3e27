"""The result of a search for weights as a JSON document: verdict, members, schemes, folds and what was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quorate.core.clock import iso_ms
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.out_of_fold.regime import REGIME
from quorate.lifecycle.weights.comparison import WeightComparison, json_strength
from quorate.lifecycle.weights.gate import Gate
from quorate.lifecycle.weights.schemes import Unfitted
from quorate.lifecycle.weights.snippet import settings_snippet
from quorate.lifecycle.weights.weighting import FixedWeights

Figures = Mapping[str, Any]


def as_document(
    comparison: WeightComparison, rows: MemberPredictions, choices: Figures, provenance: Figures
) -> dict[str, Any]:
    """The document of `quorate weights --json`; a strength of null stands for the documented weights themselves.

    Args:
        comparison: of the schemes.
        rows: all rows that the weights to use from now on were fitted on.
        choices: members, markets, span, folds, horizon.
        provenance: command, data and code.
    """
    nested, evaluation = comparison.nested, comparison.settings.evaluation
    fixed = {name: each for name, each in nested.final.items() if isinstance(each.weighting, FixedWeights)}
    best = next((name for name in comparison.kept if name in fixed), None)
    gate = nested.final["gated"]
    return {
        "verdict": verdict(comparison.rows),
        "kept": list(comparison.kept),
        **choices,
        "rows": len(rows),
        "tested_rows": len(nested.tested),
        "synthetic": rows.synthetic,
        "intervals": {
            "confidence": evaluation.confidence,
            "resamples": evaluation.resamples,
            "block_hours": evaluation.block_hours,
            "blocks": comparison.blocks.count,
        },
        "weights": {
            member: {name: each.weighting.to_json()[member] for name, each in fixed.items()} for member in rows.members
        },
        "strengths": {name: json_strength(each.strength) for name, each in nested.final.items()},
        "schemes": list(comparison.rows),
        "by_fold": [
            {
                "fold": fold.number + 1,
                "from": iso_ms(fold.start),
                "read": fold.read,
                "tested": len(fold.rows),
                "weights": {
                    scheme.name: fold.fitted[scheme.name].weighting.to_json()
                    for scheme in comparison.schemes
                    if not isinstance(scheme, Unfitted)
                },
                "strengths": {name: json_strength(each.strength) for name, each in fold.fitted.items()},
            }
            for fold in nested.folds
        ],
        "tried": [
            {
                "scheme": each.scheme,
                "fold": None if each.fold is None else each.fold + 1,
                "strength": json_strength(each.strength),
                "log_loss": each.loss,
                "rows": each.rows,
            }
            for each in nested.tried
        ],
        "regime": dict(REGIME),
        "gate": gate.weighting.to_json() if isinstance(gate.weighting, Gate) else None,
        "snippet": None if best is None else settings_snippet(fixed[best].weighting.to_json(), _about(best, choices)),
        "provenance": dict(provenance),
    }


def verdict(rows: Sequence[Figures]) -> str:
    """Which fitted schemes are kept, and for each other one the first rival that it does not clearly beat."""
    fitted = [row for row in rows if row["against"]]
    kept = [row["scheme"] for row in fitted if row["kept"]]
    reasons = [f"{row['scheme']} {_why_not(row)}" for row in fitted if not row["kept"]]
    begin = f"Kept: {', '.join(kept)} weights." if kept else "No fitted weights are kept; the weights stay as they are."
    return " ".join([begin, *(f"Not kept: {reason}." for reason in reasons)])


def _why_not(row: Figures) -> str:
    for rival, found in row["against"].items():
        ends = found["log_loss_ci"]
        if ends is None:
            return f"(no interval of the difference from {rival})"
        if not ends[1] < 0:
            kind = "vote log-loss" if row["judged_by"] == "vote" else "log-loss"
            return f"({kind} {found['log_loss']:+.5f} against {rival}, {ends[0]:+.5f} to {ends[1]:+.5f})"
    low, high = row["decisions"]["net_difference_bps_ci"]
    return f"(its decisions earn less than with documented weights: {low:+.2f} to {high:+.2f} bps a bar)"


def _about(scheme: str, choices: Figures) -> str:
    return f"{scheme} weights, fitted out of fold on {choices['from'][:10]} to {choices['to'][:10]}"
