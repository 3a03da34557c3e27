"""Results of writing a file of a data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stored:
    """Result of a write.

    Attributes:
        path: the file.
        rows: number of its rows.
        changed: whether it was written; False where it already held the same rows.
    """

    path: Path
    rows: int
    changed: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """Result of a merge.

    Attributes:
        stored: the file.
        added: number of new rows.
        duplicates: number of rows the file already held.
        conflicts: number of rows that contradict the file.
    """

    stored: Stored
    added: int
    duplicates: int = 0
    conflicts: int = 0
