"""File of an exchange's trading rules in a data folder, written by a download."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.errors import TradingError
from quorate.core.files import write_text_atomic
from quorate.core.folder_lock import folder_lock
from quorate.core.regular_files import read_regular
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.market.files.names import is_perpetual
from quorate.trading.account.contract import Contract
from quorate.trading.account.margin import CONSERVATIVE_TIERS, MarginTiers, Tier

if TYPE_CHECKING:
    from quorate.market.exchange import Exchange

CONTRACTS_FILE = "contracts.json"

_VERSION = 1


def read_contracts(folder: Path | str) -> dict[str, Contract]:
    """Read the trading rules of a folder: symbol -> rules; empty without the file.

    Raises:
        TradingError: a file that cannot be read, or invalid rules.
    """
    path = Path(folder) / CONTRACTS_FILE
    attempted = f"read the trading rules in {path}"
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise TradingError(attempted, found=error.strerror or str(error), expected="a file that can be read") from error
    remedy = "Remove it, or download it again."
    try:
        document = parse_json(content)
        if document["version"] != _VERSION:
            raise TradingError(
                attempted, found=f"version {document['version']}", expected=f"version {_VERSION}", remedy=remedy
            )
        return {symbol: _contract(symbol, rules) for symbol, rules in document["contracts"].items()}
    except MISSHAPEN as error:
        if isinstance(error, TradingError):
            raise
        raise TradingError(
            attempted, found=f"{type(error).__name__}: {error}", expected="the rules of each market", remedy=remedy
        ) from error


def ask_contracts(exchange: Exchange, symbols: Iterable[str]) -> dict[str, Contract]:
    """Request trading rules from an exchange: symbol -> rules. Tiers need the key of an account.

    Raises:
        UnknownSymbolError: a market that the exchange does not have.
        ExchangeError: no answer.
    """
    chosen = sorted(set(symbols))
    for symbol in chosen:
        exchange.require(symbol)
    perpetuals = [symbol for symbol in chosen if is_perpetual(symbol)]
    tiers = exchange.tiers(perpetuals) if perpetuals else {}
    mode = int(exchange.connection.client.precisionMode)
    return {symbol: Contract.from_ccxt(exchange.markets[symbol], tiers.get(symbol), mode) for symbol in chosen}


def write_contracts(folder: Path | str, contracts: Iterable[Contract]) -> bool:
    """Add or replace the rules of some markets in a folder; returns whether the file changed.

    Processes that write into one folder wait for each other, so that no rules are lost.

    Raises:
        TradingError: the existing file cannot be read.
        DataError: the folder cannot be written.
    """
    with folder_lock(Path(folder)):
        return _write(Path(folder), {contract.symbol: contract for contract in contracts})


def _write(folder: Path, contracts: Mapping[str, Contract]) -> bool:
    present = read_contracts(folder)
    together = {**present, **contracts}
    if together == present:
        return False
    rules = {symbol: _rules(together[symbol]) for symbol in sorted(together)}
    text = json.dumps({"version": _VERSION, "contracts": rules}, indent=1, allow_nan=False)
    write_text_atomic(folder / CONTRACTS_FILE, text + "\n")
    return True


def _rules(contract: Contract) -> dict[str, Any]:
    rows = None
    if contract.tiers != CONSERVATIVE_TIERS:
        # The last tier may be unbounded; JSON has no infinity.
        rows = [
            [None if math.isinf(tier.most_usd) else tier.most_usd, tier.maintenance, tier.leverage]
            for tier in contract.tiers.rows
        ]
    steps = {name: getattr(contract, name) for name in ("lot", "tick", "minimum_usd", "minimum_amount")}
    return {**steps, "tiers": rows}


def _contract(symbol: str, rules: Mapping[str, Any]) -> Contract:
    tiers = CONSERVATIVE_TIERS
    if rules["tiers"] is not None:
        tiers = MarginTiers(
            [
                Tier(math.inf if most is None else float(most), float(maintenance), float(leverage))
                for most, maintenance, leverage in rules["tiers"]
            ]
        )
    # Files of earlier versions have no minimum amount.
    steps = {name: float(rules[name]) for name in ("lot", "tick", "minimum_usd")}
    return Contract(symbol, **steps, tiers=tiers, minimum_amount=float(rules.get("minimum_amount", 0.0)))
