"""A table of any program, before its columns are understood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class TableColumn:
    """One column.

    Attributes:
        heads: its header texts, from top to bottom; empty without a header.
        values: (n,) float64, int64, datetime64, timedelta64 since midnight, or objects: texts, None where empty.
        zoned: the dates are in UTC because the file says so; False where it does not say their zone.
    """

    heads: tuple[str, ...]
    values: npt.NDArray[Any]
    zoned: bool = False

    @property
    def kind(self) -> str:
        """The letter of numpy's kind: f, i, M, m, or O for texts."""
        return self.values.dtype.kind

    @property
    def name(self) -> str:
        """The last header text, for messages."""
        return next((head for head in reversed(self.heads) if head), "")

    def examples(self, count: int = 200) -> list[str]:
        """The first texts of a column of texts."""
        found: list[str] = []
        if self.kind == "O":
            for value in self.values:
                if value:
                    found.append(value)
                    if len(found) == count:
                        break
        return found


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """Columns of equal length, in file order.

    Attributes:
        columns: the columns.
        texts: reads the same table with every value as text; None where values have types of their own.
        above: lines above the header.
        name: of the sheet or of the archive's member; empty for a file of one table.
        comma: values are separated by commas, so that numbers are unlikely to have decimal commas.
        synthetic: marked as synthetic.
        epoch: days that a spreadsheet counts from 1899-12-30 to its day 0.
    """

    columns: tuple[TableColumn, ...]
    texts: Callable[[], RawTable] | None = None
    above: tuple[str, ...] = ()
    name: str = ""
    comma: bool = True
    synthetic: bool = False
    epoch: int = 0

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, or their numbers from 1 where there is no header."""
        return tuple(column.name or f"{number}" for number, column in enumerate(self.columns, 1))


def text_column(heads: tuple[str, ...], texts: list[str | None]) -> TableColumn:
    """A column of texts."""
    values = np.empty(len(texts), dtype=object)
    values[:] = texts
    return TableColumn(heads, values)
