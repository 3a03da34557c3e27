"""ccxt client of one exchange that raises for invalid responses, where ccxt returns an empty list."""

from __future__ import annotations

import os
import re
from time import monotonic
from types import ModuleType
from typing import Any

from quorate.core.errors import ExchangeRefusedError, MissingExtraError, UnknownExchangeError, close_match
from quorate.core.log_records import RedactingFilter
from quorate.core.redaction import register_address, register_secret
from quorate.core.sections.exchange import ExchangeSettings
from quorate.market.exchange.responses import LAST_RESPONSE, Response, limited_session

#: Variables with the API key of an account, which private data such as leverage tiers need.
KEY_VARIABLE, SECRET_VARIABLE = "QUORATE_EXCHANGE_KEY", "QUORATE_EXCHANGE_SECRET"

_HOST = re.compile(r"^https?://[^/]+")


def load_ccxt() -> ModuleType:
    """Import ccxt with its asynchronous clients.

    Raises:
        MissingExtraError: ccxt is not installed.
    """
    try:
        import ccxt.async_support as ccxt
    except ImportError as error:
        raise MissingExtraError(
            "connect to an exchange",
            found="no ccxt",
            expected="the extra 'exchange'",
            remedy="Install it with: pip install 'quorate[exchange]'.",
        ) from error
    found: ModuleType = ccxt
    return found


def build_client(settings: ExchangeSettings) -> Any:
    """Build a client for reading, not yet connected. It must be built and used in one event loop.

    Raises:
        UnknownExchangeError: not an exchange of ccxt; the close match is named.
        ExchangeRefusedError: the exchange has no sandbox.
        MissingExtraError: ccxt is not installed.
    """
    ccxt = load_ccxt()
    if settings.name not in ccxt.exchanges:
        raise UnknownExchangeError(
            "connect to an exchange",
            found=repr(settings.name),
            expected="an exchange of ccxt, such as binanceusdm for USDT-M perpetuals or binance for spot",
            remedy=close_match(settings.name, ccxt.exchanges),
        )
    client = _strict(ccxt, settings.name)(_configuration(settings))
    # ccxt logs addresses with their signatures, headers with keys and whole answers.
    if not any(isinstance(known, RedactingFilter) for known in client.logger.filters):
        client.logger.addFilter(RedactingFilter())
    if settings.sandbox:
        if not client.urls.get("test"):
            raise ExchangeRefusedError(f"use the sandbox of {settings.name}", found="none")
        client.set_sandbox_mode(True)
    if settings.url:
        client.urls["api"] = _with_address(client.urls["api"], settings.url.rstrip("/"))
        if settings.url.startswith("http://"):
            client.timeout_on_exit = 0  # ccxt's pause is for closing encrypted connections
    # A private request that candles do not need.
    client.has["fetchCurrencies"] = False
    return client


def _configuration(settings: ExchangeSettings) -> dict[str, Any]:
    configuration: dict[str, Any] = {"enableRateLimit": settings.paced, "timeout": settings.timeout_s * 1000}
    if settings.name.startswith("binance"):
        # Binance limits the weight per minute: the requests of one bar can be sent at once within that limit. Exchanges
        # with a limit per second keep ccxt's constant rate.
        configuration |= {"rateLimiterAlgorithm": "rollingWindow", "rollingWindowSize": 60_000.0}
    key, secret = os.environ.get(KEY_VARIABLE, ""), os.environ.get(SECRET_VARIABLE, "")
    for known in (key, secret):
        if known:
            register_secret(known)
    register_address(settings.url)
    return configuration | ({"apiKey": key, "secret": secret} if key and secret else {})


def _with_address(urls: Any, url: str) -> Any:
    """Replace the address of URLs and keep their paths."""
    if isinstance(urls, dict):
        return {name: _with_address(inner, url) for name, inner in urls.items()}
    return _HOST.sub(lambda _: url, urls) if isinstance(urls, str) else urls


def _strict(ccxt: ModuleType, name: str) -> type:
    """Subclass of the exchange's class that keeps responses by task and raises for invalid ones."""
    base: Any = getattr(ccxt, name)

    class Strict(base):  # type: ignore[misc]
        #: Date header of the last response, and when it arrived on the monotonic clock in seconds.
        answered: tuple[str, float] = ("", 0.0)

        session: Any

        def open(self, lazy: bool = False) -> None:
            closed = self.session is None
            super().open(lazy)
            if closed and self.own_session and self.session is not None:
                # The session of ccxt, which has sent no request yet, would read responses of any size.
                self.session.detach()
                self.session = limited_session(ccxt, self)

        def on_rest_response(self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
            lower = {str(name).lower(): str(value) for name, value in dict(headers).items()}
            LAST_RESPONSE.set(Response(int(code), lower))
            self.answered = (lower.get("date", ""), monotonic())
            return super().on_rest_response(code, reason, url, method, headers, *rest)

        def parse_json(self, text: str) -> Any:
            document = super().parse_json(text)  # None for documents nested too deeply too
            response = LAST_RESPONSE.get()
            if document is None and response is not None and response.status < 400:
                raise ccxt.BadResponse(f"{self.id}: not a JSON document: {text[:60]!r}")
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
            raise ccxt.BadResponse(f"{name}: not a list of rows: {str(rows)[:60]!r}")

    Strict.__name__ = name
    return Strict
