"""How an exchange is asked, and how long a live feed waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class ExchangeSettings(Section):
    """Keys are no settings: QUORATE_EXCHANGE_KEY and QUORATE_EXCHANGE_SECRET are read where leverage tiers are."""

    name: str = "binanceusdm"  # as ccxt has it; binance is its spot
    sandbox: bool = False  # the exchange's own test network
    url: str = ""  # instead of the exchange's address, such as http://127.0.0.1:18080; paths stay
    paced: bool = True  # keep the exchange's rate limit; off for a server of one's own
    timeout_s: float = 10.0  # of one request
    attempts: int = 5  # of one read, the first included
    pause_s: float = 0.5  # before the second attempt, about; doubles with each
    longest_pause_s: float = 60.0  # an exchange that asks for more is left alone, and the read fails
    requests: int = 32  # under way at once
    page_rows: int = 499  # of one request; Binance charges least for a row just below 500
    flush_pages: int = 50  # a download stores its rows after so many

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
    window_bars: int = 500  # closed candles kept of each market
    settle_s: float = 0.5  # after a bar's close before it is asked for: the exchange is still counting
    poll_s: float = 1.0  # between two questions for a bar that is not there yet
    patience_s: float = 20.0  # after the close; what is not there then is late
    attempts: int = 2  # of one read; the next question is the better repetition
    longest_s: float = 60.0  # all markets' answers to one question may take; whose is not there then did not answer
    recheck_bars: int = 2  # asked for again with each bar, to notice that the exchange revised them
    skew_warn_s: float = 2.0  # between the exchange's clock and ours
    skew_stop_s: float = 10.0  # beyond this no position is entered
    stale_bars: int = 2  # without data

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
