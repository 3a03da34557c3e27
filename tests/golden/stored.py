"""The stored documents: where they lie, and what is kept of a chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from golden.compact import compact
from golden.runs import CHAINS, Outcome, digests
from golden.varying import without_varying

FOLDER = Path(__file__).parent


def path_of(chain: str, folder: Path = FOLDER) -> Path:
    """The file of a chain."""
    return folder / f"{chain}.json"


def machine_path(folder: Path = FOLDER) -> Path:
    """The file of what the figures depend on besides the code."""
    return folder / "machine.json"


def read(path: Path) -> Any:
    """A stored document."""
    return json.loads(path.read_text(encoding="utf-8"))


def stored_form(chain: str, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """What is kept: command -> line, exit code, document, page, and SHA-256 of the files it published."""
    kept: dict[str, Any] = {}
    for command in CHAINS[chain]:
        outcome = outcomes[command.name]
        kept[command.name] = {
            "line": command.line,
            "exit": outcome.code,
            "document": compact(without_varying(command.verb, outcome.document)),
        }
        if outcome.page is not None:
            kept[command.name]["page"] = compact(outcome.page)
        if outcome.published:
            kept[command.name]["files"] = digests(outcome.published)
    return kept
