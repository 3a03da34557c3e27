"""Candles in: sources behind one protocol, their quality, the store, the universe and the synthetic market."""

from quorate.market.freqtrade_files import FreqtradeFolder, load_candles
from quorate.market.imports import ImportReport, import_files
from quorate.market.inspection import FileReport, check_folder, count_files
from quorate.market.listing import ListedFile, list_folder
from quorate.market.report import QualityReport
from quorate.market.source import CandleSource
from quorate.market.store import write_candles, write_funding
from quorate.market.synthetic import SyntheticMarket
from quorate.market.tables import TableFolder
from quorate.market.universe import top

__all__ = [
    "CandleSource",
    "FileReport",
    "FreqtradeFolder",
    "ImportReport",
    "ListedFile",
    "QualityReport",
    "SyntheticMarket",
    "TableFolder",
    "check_folder",
    "count_files",
    "import_files",
    "list_folder",
    "load_candles",
    "top",
    "write_candles",
    "write_funding",
]
