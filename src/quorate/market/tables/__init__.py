"""Tables of candles that other programs write: reading, identifying and importing them."""

from quorate.market.tables.command_line import ImportOptions
from quorate.market.tables.import_report import ImportReport
from quorate.market.tables.imports import import_files
from quorate.market.tables.table_folder import TableFolder

__all__ = ["ImportOptions", "ImportReport", "TableFolder", "import_files"]
