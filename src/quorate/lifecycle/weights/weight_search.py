"""The result of a search for member weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.lifecycle.snippet_file import write_snippet
from quorate.lifecycle.weights.comparison import WeightComparison


@dataclass(frozen=True, slots=True, eq=False)
class WeightSearch:
    """Weights of the members, and what nested walk-forward says of them.

    Attributes:
        document: JSON-safe; the document of `quorate weights --json`.
        comparison: of the schemes on the tested rows.
    """

    document: Mapping[str, Any]
    comparison: WeightComparison

    @property
    def snippet(self) -> str | None:
        """Settings for quorate.toml; None where no fixed weights are kept."""
        text: str | None = self.document["snippet"]
        return text

    def write_snippet(self, path: Path | str) -> bool:
        """Write the settings to a file, if some fixed weights are kept; whether it was written.

        Raises:
            DataError: the file cannot be written.
        """
        return write_snippet(path, self.snippet)
