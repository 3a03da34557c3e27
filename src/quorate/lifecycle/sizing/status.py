"""Which learners of sizes have passed the gate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from quorate.core.sections.sizing import SizingSettings
from quorate.lifecycle.sizing.gate import gate_digest, read_gate
from quorate.lifecycle.sizing.learners import LEARNERS


def gates(bundles: Path, settings: SizingSettings) -> dict[str, dict[str, Any] | None]:
    """Learner -> whether it passed, and whether with the code and the settings as they are now; None: never judged.

    Args:
        bundles: what users name.
        settings: of the learners.

    Raises:
        EvaluationError: a result that cannot be read.
    """
    found: dict[str, dict[str, Any] | None] = {}
    for name in LEARNERS:
        tree = read_gate(bundles, name)
        wanted = gate_digest(replace(settings, learner=name))  # type: ignore[arg-type]  # the keys are the names
        found[name] = None
        if tree is not None:
            current = tree["digest"] == wanted
            found[name] = {"passed": tree["passed"] is True, "current": current, "at": tree["at"]}
    return found
