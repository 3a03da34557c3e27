"""Tables in the workbooks of spreadsheets."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from quorate.core.tables import RawTable, TableColumn
from quorate.core.tables.column_names import roles_in
from quorate.core.tables.table import text_column

# A sheet of a million rows has 300 MiB of XML.
_MOST_BYTES = 2**29
_HEAD_ROWS = 20


def read_workbook(content: bytes) -> list[RawTable]:
    """Read the sheets of an .xlsx file that hold a table; values of formulas as they were last calculated.

    Raises:
        ValueError: no workbook, no table in it, or formulas whose values are not in the file.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES} bytes in the workbook")
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, KeyError) as error:
        raise ValueError(f"no workbook ({error})") from error
    # Days of its calendar are counted from 1899-12-30, in old files of a Macintosh from 1904-01-01.
    epoch = 1462 if book.epoch.year == 1904 else 0
    found = []
    for sheet in book.worksheets:
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        table = _table(rows, sheet.title, epoch)
        if table is not None:
            _require_values(content, sheet.title, rows)
            found.append(table)
    book.close()
    if not found:
        raise ValueError("no sheet with a table of candles")
    return found


def _table(rows: list[list[Any]], name: str, epoch: int) -> RawTable | None:
    rows = [row for row in rows if any(cell not in (None, "") for cell in row)]
    data = next((number for number, row in enumerate(rows) if _is_data(row)), None)
    if data is None:
        data = next((number + 1 for number, row in enumerate(rows[:_HEAD_ROWS]) if roles_in(_texts(row)) > 2), None)
        if data is None:
            return None
    width = max(len(row) for row in rows[max(0, data - 1) :])
    filled = [sum(cell not in (None, "") for cell in row) for row in rows]
    least = (filled[data] if data < len(rows) else filled[data - 1]) - 1
    first = data
    while first > 0 and filled[first - 1] >= max(2, least):
        first -= 1
    headers = [_texts(row) + [""] * (width - len(row)) for row in rows[first:data]]
    cells = [row + [None] * (width - len(row)) for row in rows[data:]]
    columns = []
    for place in range(width):
        values = [row[place] for row in cells]
        heads = tuple(row[place].strip() for row in headers)
        if any(heads) or any(value not in (None, "") for value in values):
            columns.append(_column(heads, values))
    above = tuple(" ".join(filter(None, _texts(row))) for row in rows[:first])
    return RawTable(tuple(columns), above=above, name=name, epoch=epoch)


def _texts(row: list[Any]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in row]


def _is_data(row: list[Any]) -> bool:
    """Whether at least half of a row's cells are values, and not names of columns."""
    from quorate.core.tables.number_texts import is_number_text

    filled = [cell for cell in row if cell not in (None, "")]
    values = [cell for cell in filled if not isinstance(cell, str) or is_number_text(cell)]
    return len(filled) > 2 and 2 * len(values) > len(filled)


def _column(heads: tuple[str, ...], cells: list[Any]) -> TableColumn:
    present = [cell for cell in cells if cell not in (None, "")]
    if present and all(isinstance(cell, date) for cell in present):
        stamps = [np.datetime64("NaT", "s") if cell in (None, "") else _rounded(cell) for cell in cells]
        return TableColumn(heads, np.array(stamps, dtype="datetime64[ms]"))
    if present and all(isinstance(cell, time) for cell in present):
        clocks = [0 if cell in (None, "") else (cell.hour * 60 + cell.minute) * 60 + cell.second for cell in cells]
        return TableColumn(heads, np.array(clocks, dtype="timedelta64[s]").astype("timedelta64[ms]"))
    if present and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in present):
        if all(isinstance(cell, int) for cell in cells):
            return TableColumn(heads, np.array(cells, dtype=np.int64))
        return TableColumn(heads, np.array([np.nan if cell in (None, "") else float(cell) for cell in cells]))
    return text_column(heads, [None if cell in (None, "") else _text(cell) for cell in cells])


def _rounded(cell: date) -> np.datetime64:
    """A date to the second: sheets store fractions of days."""
    moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)
    return np.datetime64(moment + timedelta(milliseconds=500), "s")


def _text(cell: Any) -> str:
    return cell.isoformat(sep=" ") if isinstance(cell, datetime) else str(cell)


def _require_values(content: bytes, sheet: str, rows: list[list[Any]]) -> None:
    """Refuse a sheet with formulas that were never calculated, as programs other than spreadsheets write them.

    Raises:
        ValueError: the first such cell.
    """
    if not any(cell is None for row in rows for cell in row):
        return
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True)
    for number, row in enumerate(book[sheet].iter_rows(values_only=True)):
        for place, cell in enumerate(row):
            if (
                isinstance(cell, str)
                and cell.startswith("=")
                and (place >= len(rows[number]) or rows[number][place] is None)
            ):
                from openpyxl.utils import get_column_letter

                where = f"{get_column_letter(place + 1)}{number + 1}"
                raise ValueError(f"a formula without a value in cell {where} of the sheet {sheet}: {cell[:60]}")
    book.close()
