"""The evidence for the policies in force, as a bundle carries it, in the document of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST_ROWS = 10


def evidence_of(reports: Mapping[str, Any]) -> dict[str, Any] | None:
    """Document of the evidence of one bundle, or of the bundles of several folds; None without evidence.

    Args:
        reports: label -> the entry "probabilities" of a bundle's metrics. With several, each has one row: its best
            candidate, or its first where none could be judged.
    """
    found = {label: report["evidence"] for label, report in reports.items() if "evidence" in report}
    rows = []
    for label, evidence in found.items():
        own = evidence["table"]
        if len(found) > 1:
            own = [row for row in own if row["verdict"] in ("best", "acts")] or own[:1]
        rows += [{**row, "candidate": f"{label}: {row['candidate']}" if label else row["candidate"]} for row in own]
    if not rows:
        return None
    verdicts = [f"{label}: {each['text']}" if label else each["text"] for label, each in found.items()]
    return {"verdicts": verdicts, "table": rows[:_MOST_ROWS]}
