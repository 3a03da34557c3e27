"""ccxt's client of one exchange, made strict: an answer that is none is an error and not an empty list."""

from __future__ import annotations

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from quorate.core.errors import ExchangeRefusedError, MissingExtraError, UnknownExchangeError, close_match
from quorate.core.sections.exchange import ExchangeSettings

#: Where the keys of an account are, for what an exchange tells nobody else, such as its leverage tiers.
KEY_VARIABLE, SECRET_VARIABLE = "QUORATE_EXCHANGE_KEY", "QUORATE_EXCHANGE_SECRET"

_HOST = re.compile(r"^https?://[^/]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the exchange answered last, in one task: HTTP status and headers in lower case."""

    status: int
    headers: dict[str, str]


#: The task's own last answer. ccxt keeps one for a whole client, which a hundred requests at once overwrite.
ANSWER: ContextVar[Answer | None] = ContextVar("answer", default=None)


def load_ccxt() -> ModuleType:
    """Ccxt with its asynchronous clients.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import ccxt.async_support as ccxt
    except ImportError as error:
        raise MissingExtraError(
            "ask an exchange",
            found="no ccxt",
            expected="the extra 'exchange'",
            remedy="Install it with: pip install 'quorate[exchange]'.",
        ) from error
    found: ModuleType = ccxt
    return found


def build_client(settings: ExchangeSettings) -> Any:
    """A client for reading, not yet connected. It has to be built and used in one event loop.

    Raises:
        UnknownExchangeError: ccxt has no such exchange; the close match is named.
        ExchangeRefusedError: a sandbox where the exchange has none.
        MissingExtraError: ccxt is not installed.
    """
    ccxt = load_ccxt()
    if settings.name not in ccxt.exchanges:
        raise UnknownExchangeError(
            "ask an exchange",
            found=repr(settings.name),
            expected="one of ccxt's exchanges, such as binanceusdm for USDT-M perpetuals or binance for spot",
            remedy=close_match(settings.name, ccxt.exchanges),
        )
    client = _strict(ccxt, settings.name)(_configuration(settings))
    if settings.sandbox:
        if not client.urls.get("test"):
            raise ExchangeRefusedError(f"use the sandbox of {settings.name}", found="none")
        client.set_sandbox_mode(True)
    if settings.url:
        client.urls["api"] = _elsewhere(client.urls["api"], settings.url.rstrip("/"))
        if settings.url.startswith("http://"):
            client.timeout_on_exit = 0  # ccxt's pause is for encrypted connections to say goodbye
    # Private, and of no use for candles.
    client.has["fetchCurrencies"] = False
    return client


def _configuration(settings: ExchangeSettings) -> dict[str, Any]:
    configuration: dict[str, Any] = {"enableRateLimit": settings.paced, "timeout": settings.timeout_s * 1000}
    if settings.name.startswith("binance"):
        # Binance counts by the minute: the many small requests of one bar may go at once, as long as the minute's
        # sum is kept. Exchanges that count by the second keep ccxt's even pace.
        configuration |= {"rateLimiterAlgorithm": "rollingWindow", "rollingWindowSize": 60_000.0}
    key, secret = os.environ.get(KEY_VARIABLE, ""), os.environ.get(SECRET_VARIABLE, "")
    return configuration | ({"apiKey": key, "secret": secret} if key and secret else {})


def _elsewhere(urls: Any, url: str) -> Any:
    """The same paths at another address."""
    if isinstance(urls, dict):
        return {name: _elsewhere(inner, url) for name, inner in urls.items()}
    return _HOST.sub(lambda _: url, urls) if isinstance(urls, str) else urls


def _strict(ccxt: ModuleType, name: str) -> type:
    """The exchange's class, with answers noted by task, and refused where ccxt would make nothing of them."""
    base: Any = getattr(ccxt, name)

    class Strict(base):  # type: ignore[misc]
        def on_rest_response(self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
            ANSWER.set(Answer(int(code), {str(name).lower(): str(value) for name, value in dict(headers).items()}))
            return super().on_rest_response(code, reason, url, method, headers, *rest)

        def parse_json(self, text: str) -> Any:
            document = super().parse_json(text)
            answer = ANSWER.get()
            if document is None and answer is not None and answer.status < 400:
                raise ccxt.BadResponse(f"{self.id}: no JSON document but {text[:60]!r}")
            return document

        def parse_ohlcvs(self, rows: Any, *arguments: Any, **options: Any) -> Any:
            _require_rows(rows)
            return super().parse_ohlcvs(rows, *arguments, **options)

        def parse_ohlcv(self, row: Any, *arguments: Any, **options: Any) -> Any:
            parsed = super().parse_ohlcv(row, *arguments, **options)
            if parsed[0] is None:
                raise ccxt.BadResponse(f"{self.id}: a candle without a time, {str(row)[:60]!r}")
            return parsed

        def parse_funding_rate_histories(self, rows: Any, *arguments: Any, **options: Any) -> Any:
            _require_rows(rows)
            return super().parse_funding_rate_histories(rows, *arguments, **options)

        def parse_funding_rate_history(self, row: Any, *arguments: Any, **options: Any) -> Any:
            parsed = super().parse_funding_rate_history(row, *arguments, **options)
            if parsed["timestamp"] is None:
                raise ccxt.BadResponse(f"{self.id}: a settlement without a time, {str(row)[:60]!r}")
            return parsed

    def _require_rows(rows: Any) -> None:
        if not isinstance(rows, list) or not all(isinstance(row, list | dict) for row in rows):
            raise ccxt.BadResponse(f"{name}: no list of rows but {str(rows)[:60]!r}")

    Strict.__name__ = name
    return Strict
