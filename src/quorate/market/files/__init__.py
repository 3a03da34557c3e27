"""Candles on disk: Freqtrade data folders, their formats and their writing."""

from quorate.market.files.candle_store import write_candles, write_funding
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles
from quorate.market.files.inspection import FileReport, check_folder, count_files
from quorate.market.files.listing import ListedFile, list_folder

__all__ = [
    "FileReport",
    "FreqtradeFolder",
    "ListedFile",
    "check_folder",
    "count_files",
    "list_folder",
    "load_candles",
    "write_candles",
    "write_funding",
]
