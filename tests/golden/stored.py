"""The stored documents: where they lie, and what is kept of a chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from golden.compact import compact
from golden.runs import CHAINS, Outcome, digests
from golden.varying import without_varying

_FOLDER = Path(__file__).parent

#: What the figures depend on besides the code.
MACHINE = _FOLDER / "machine.json"


def path_of(chain: str) -> Path:
    """The file of a chain."""
    return _FOLDER / f"{chain}.json"


def read(path: Path) -> Any:
    """A stored document."""
    return json.loads(path.read_text(encoding="utf-8"))


def stored_form(chain: str, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """What is kept: command -> line, exit code, document, plots and texts of its page, SHA-256 of published files."""
    kept: dict[str, Any] = {}
    for command in CHAINS[chain]:
        outcome = outcomes[command.name]
        kept[command.name] = {
            "line": command.line,
            "exit": outcome.code,
            "document": compact(without_varying(command.verb, outcome.document)),
        }
        if outcome.page is not None:
            kept[command.name] |= compact(outcome.page)
        if outcome.published:
            kept[command.name]["files"] = digests(outcome.published)
    return kept
