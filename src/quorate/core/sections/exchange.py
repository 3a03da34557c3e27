"""Settings of requests to an exchange, and of the live feed."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class ExchangeSettings(Section):
    """Connection to an exchange. API keys are not settings: see QUORATE_EXCHANGE_KEY and QUORATE_EXCHANGE_SECRET."""

    name: str = "binanceusdm"  # in ccxt's form; binance is Binance's spot market
    sandbox: bool = False  # use the exchange's test network
    url: str = ""  # address that replaces the exchange's, such as http://127.0.0.1:18080; paths are kept
    paced: bool = True  # respect the exchange's rate limit; off for a local server
    timeout_s: float = 10.0  # of one request
    attempts: int = 5  # per read, the first included
    pause_s: float = 0.5  # before the second attempt, randomised; doubles with each attempt
    longest_pause_s: float = 60.0  # a read fails when the exchange asks for a longer pause
    requests: int = 32  # concurrent requests
    page_rows: int = 499  # rows per request; below 500 the weight per row is lowest at Binance
    flush_pages: int = 50  # pages after which a download stores its rows

    def __post_init__(self) -> None:
        require("exchange", "timeout_s", self.timeout_s, 0.05, 600)
        require("exchange", "attempts", self.attempts, 1, 100)
        require("exchange", "pause_s", self.pause_s, 0, 600)
        require("exchange", "longest_pause_s", self.longest_pause_s, 0, 86_400)
        require("exchange", "requests", self.requests, 1, 1000)
        require("exchange", "page_rows", self.page_rows, 2, 1500)
        require("exchange", "flush_pages", self.flush_pages, 1, 100_000)
        if self.url and not self.url.startswith(("http://", "https://")):
            raise SettingsError(
                "use the setting exchange.url", found=repr(self.url), expected="an address with http:// or https://"
            )


@dataclass(frozen=True, slots=True)
class FeedSettings(Section):
    """Live feed of closing bars."""

    window_bars: int = 500  # closed candles kept for each market
    settle_s: float = 0.5  # delay after a bar's close before the first request for it
    poll_s: float = 1.0  # between two requests for a bar that is not available yet
    patience_s: float = 20.0  # after the close; a bar that is not available by then is late
    attempts: int = 2  # per read; few, since the feed polls again
    longest_s: float = 60.0  # timeout of one round of requests for all markets
    recheck_bars: int = 2  # newest bars that are requested again with each bar, to detect revisions
    skew_warn_s: float = 2.0  # clock difference to the exchange that is reported
    skew_stop_s: float = 10.0  # clock difference above which no position is entered
    stale_bars: int = 2  # missing bars after which a market is stale
    gone_bars: int = 24  # bars in a row that one market is refused, while no market list can be read, until it is gone

    def __post_init__(self) -> None:
        require("feed", "window_bars", self.window_bars, 2, 100_000)
        require("feed", "settle_s", self.settle_s, 0, 600)
        require("feed", "poll_s", self.poll_s, 0.01, 600)
        require("feed", "patience_s", self.patience_s, 0, 86_400)
        require("feed", "attempts", self.attempts, 1, 100)
        require("feed", "longest_s", self.longest_s, 0.01, 86_400)
        require("feed", "recheck_bars", self.recheck_bars, 0, 1000)
        require("feed", "skew_warn_s", self.skew_warn_s, 0, 3600)
        require("feed", "skew_stop_s", self.skew_stop_s, 0, 3600)
        require("feed", "stale_bars", self.stale_bars, 1, 1000)
        require("feed", "gone_bars", self.gone_bars, 2, 100_000)
