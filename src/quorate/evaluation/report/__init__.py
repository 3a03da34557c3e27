"""The HTML report, and the tables that the terminal shares with it."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.report.book.page import write_book_report as write_book_report
    from quorate.evaluation.report.formatting import Cell as Cell
    from quorate.evaluation.report.formatting import Table as Table
    from quorate.evaluation.report.html import render_report as render_report
    from quorate.evaluation.report.html import write_report as write_report
    from quorate.evaluation.report.reported_run import ReportedRun as ReportedRun
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "book.page": "write_book_report",
            "formatting": "Cell Table",
            "html": "render_report write_report",
            "reported_run": "ReportedRun",
        },
    )
