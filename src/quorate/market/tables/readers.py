"""Reading of files by their ending, each into one or more tables."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import ParseError

from quorate.core.errors import DataError
from quorate.core.tables import RawTable
from quorate.market.files.formats import FOREIGN, MOST_BYTES, inflate, read_bytes

_TEXT = (".csv", ".tsv", ".txt")
_JSON = (".json", ".jsonl", ".ndjson")
_BOOKS = (".xlsx", ".xlsm")
_ARROW = (".feather", ".arrow", ".ipc")

#: Endings of files that are read, longest first; in any case.
ENDINGS = (".csv.gz", ".tsv.gz", ".txt.gz", ".json.gz", *_TEXT, ".zip", *_BOOKS, ".parquet", *_ARROW, *_JSON)

#: Endings of files with candles of other programs that are not read, and what to save instead.
OTHER_ENDINGS = {
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".numbers"), "Save the sheet as .xlsx or .csv"),
    ".hst": "Export the history as CSV in MetaTrader's history centre",
    **dict.fromkeys(
        (".pkl", ".pickle", ".h5", ".hdf5", ".hdf", ".db", ".sqlite", ".npz"), "Save the table as .parquet or .csv"
    ),
    **dict.fromkeys((".7z", ".rar", ".tar", ".bz2", ".xz", ".zst"), "Unpack the archive"),
}

_UNREADABLE = (
    *(*FOREIGN, zipfile.BadZipFile, NotImplementedError, RuntimeError, lzma.LZMAError, struct.error, ParseError),
    KeyError,  # a part that a workbook names and does not have
)

# Errors of Arrow for rows of other lengths.
_TOO_MANY = re.compile(r"Expected \d+ columns, got \d+")


def ending_of(path: Path) -> str:
    """The ending by which a file is read, in lower case; empty for one that is not read.

    >>> ending_of(Path("BTCUSD60.CSV")), ending_of(Path("a.csv.gz")), ending_of(Path("a.md"))
    ('.csv', '.csv.gz', '')
    """
    name = path.name.lower()
    return next((ending for ending in ENDINGS if name.endswith(ending)), "")


def read_tables(path: Path, *, everything: bool = False) -> tuple[RawTable, ...]:
    """Read the tables of one file: one, or those of an archive or a workbook.

    Args:
        path: a file with one of `ENDINGS`.
        everything: read also columns that candles do not need.

    Raises:
        DataError: the file cannot be read, or is of another format.
        OSError: the system could not open a part of a library.
    """
    ending = ending_of(path)
    if not ending:
        other = OTHER_ENDINGS.get(path.suffix.lower())
        raise DataError(
            f"read {path}",
            found=f"the ending {path.suffix!r}",
            expected=f"one of {', '.join(ENDINGS)}",
            remedy=f"{other or 'Save the table as .csv'}, and import that file.",
        )
    content = read_bytes(path)
    try:
        return tuple(_read(ending, content, everything=everything))
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the system: the content is in memory already
            raise
        raise _unreadable(path, ending, " ".join(str(error).split())[:200]) from error


def _read(ending: str, content: bytes, *, everything: bool) -> list[RawTable]:
    if ending == ".zip":
        return _read_zip(content, everything=everything)
    if ending.endswith(".gz"):
        return _read(ending.removesuffix(".gz"), inflate(content), everything=everything)
    if ending in _TEXT:
        from quorate.market.tables.text_tables import read_text

        return [read_text(content, everything=everything)]
    if ending in _JSON:
        from quorate.market.tables.json_tables import read_json

        return [read_json(content, MOST_BYTES)]
    if ending in _BOOKS:
        from quorate.market.tables.workbooks import read_workbook

        return read_workbook(content)
    from quorate.market.tables.arrow_tables import read_feather, read_parquet

    return [read_parquet(content) if ending == ".parquet" else read_feather(content)]


def _read_zip(content: bytes, *, everything: bool) -> list[RawTable]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [
            (member, ending)
            for member in archive.infolist()
            if (ending := ending_of(Path(member.filename)))
            and ending != ".zip"
            and not member.filename.startswith("__MACOSX")
        ]
        if not members:
            raise ValueError("no table in the zip, such as a CSV file")
        if sum(member.file_size for member, _ in members) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes in the zip")
        return [
            replace(table, name=table.name or member.filename)
            for member, ending in members
            for table in _read(ending, archive.read(member), everything=everything)
        ]


def _unreadable(path: Path, ending: str, found: str) -> DataError:
    if _TOO_MANY.search(found):
        return DataError(
            f"read {path}",
            found=found,
            expected="as many values in every row as columns in the header",
            remedy="If the decimals are written with a comma, save the table with points, or with semicolons between "
            "values; otherwise correct that row.",
        )
    if "formula" in found:
        return DataError(
            f"read {path}",
            found=found,
            expected="the value of every formula",
            remedy="Open the workbook in a spreadsheet program, which calculates it, save it, and import it again.",
        )
    return DataError(
        f"read {path}",
        found=found,
        expected=f"a {ending[1:]} table of candles",
        remedy="Download or save the file again.",
    )
