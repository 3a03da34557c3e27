"""Candle sources, candle checks, files, the choice of markets and the synthetic market."""

from quorate.market.files.candle_store import write_candles, write_funding
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles
from quorate.market.files.inspection import FileReport, check_folder, count_files
from quorate.market.files.listing import ListedFile, list_folder
from quorate.market.quality.quality_report import QualityReport
from quorate.market.source import CandleSource
from quorate.market.synthetic import SyntheticMarket
from quorate.market.tables.import_report import ImportReport
from quorate.market.tables.imports import import_files
from quorate.market.tables.table_folder import TableFolder
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
