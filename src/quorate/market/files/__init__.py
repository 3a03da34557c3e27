"""Candles on disk: Freqtrade data folders, CSV and Parquet tables, imports and writing."""

from quorate.market.files.candle_store import write_candles, write_funding
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles
from quorate.market.files.imports import ImportReport, import_files
from quorate.market.files.inspection import FileReport, check_folder, count_files
from quorate.market.files.listing import ListedFile, list_folder
from quorate.market.files.table_folder import TableFolder

__all__ = [
    "FileReport",
    "FreqtradeFolder",
    "ImportReport",
    "ListedFile",
    "TableFolder",
    "check_folder",
    "count_files",
    "import_files",
    "list_folder",
    "load_candles",
    "write_candles",
    "write_funding",
]
