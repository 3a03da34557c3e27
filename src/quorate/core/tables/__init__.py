"""Candle columns from tables of other programs: their names, numbers and dates as people and programs write them."""

from quorate.core.tables.candle_rows import CandleRows, ReadOptions, candle_rows
from quorate.core.tables.table import RawTable, TableColumn
from quorate.core.tables.unclear import OpenQuestion, UnclearTableError

__all__ = ["CandleRows", "OpenQuestion", "RawTable", "ReadOptions", "TableColumn", "UnclearTableError", "candle_rows"]
