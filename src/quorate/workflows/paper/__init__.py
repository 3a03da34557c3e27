"""Paper trading: an account on live or replayed candles, and requests to it."""

from quorate.workflows.paper.account import PaperAccount
from quorate.workflows.paper.options import PaperOptions
from quorate.workflows.paper.paper_run import PaperRun
from quorate.workflows.paper.performance import PaperPerformance
from quorate.workflows.paper.requests import PaperRequest, RequestedMove
from quorate.workflows.paper.status import PaperStatus
from quorate.workflows.paper.view import AccountView

__all__ = [
    "AccountView",
    "PaperAccount",
    "PaperOptions",
    "PaperPerformance",
    "PaperRequest",
    "PaperRun",
    "PaperStatus",
    "RequestedMove",
]
