"""Candle columns from tables of other programs: names of columns, numbers and dates as people and spreadsheets write them."""

from quorate.core.tables.candle_rows import CandleRows, ReadOptions, candle_rows
from quorate.core.tables.table import Table, TableColumn
from quorate.core.tables.unclear import Question, UnclearTableError

__all__ = ["CandleRows", "Question", "ReadOptions", "Table", "TableColumn", "UnclearTableError", "candle_rows"]
