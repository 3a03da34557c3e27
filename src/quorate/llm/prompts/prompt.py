"""The prompt of a role: a template filled with numbers of the newest closed bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import PanelError
from quorate.core.types import Candles
from quorate.features import build, feature_set
from quorate.llm.prompts.numbers import NUMBERS
from quorate.llm.prompts.templates import MARKET, REPLY, TASKS

#: Bars that a prompt is computed from, if there are so many. Smoothed indicators depend on where they begin, and the
#: text of a prompt, by which recordings are found, must not depend on how much history a caller has.
MOST_BARS = 300

#: Bars that the longest column needs.
LEAST_BARS = 97


@dataclass(frozen=True, slots=True)
class Prompt:
    """A filled template.

    Attributes:
        messages: as chat completions take them, each with `role` and `content`.
        digest: SHA-256 over the version of the role's template and the filled text, hexadecimal.
    """

    messages: tuple[Mapping[str, str], ...]
    digest: str


def prompt_of(role: str, symbol: str, timeframe: str, bars: Candles) -> Prompt:
    r"""The prompt of a role about the newest of some closed bars.

    It holds numbers only: no name, no date and no price, by which a model could remember what came next, and no text of
    anybody else. Neither does it hold the ensemble's decision, which the panel would be tempted to repeat.

    Args:
        role: technical, risk or sentiment.
        symbol: of the market; for errors.
        timeframe: of the bars.
        bars: closed bars up to the one that is decided on; the newest `MOST_BARS` are read.

    Raises:
        PanelError: an unknown role, bars of another market or timeframe, or fewer than `LEAST_BARS`.

    >>> import quorate
    >>> hours = 3_600_000 * np.arange(120)
    >>> price = 100 + np.sin(np.arange(120))
    >>> candles = quorate.Candles("BTC/USDT", "1h", hours, price, price + 1, price - 1, price, np.ones(120))
    >>> prompt = prompt_of("technical", "BTC/USDT", "1h", candles)
    >>> print("\n".join(prompt.messages[1]["content"].splitlines()[:3]))
    A market whose name, date and price are withheld. Bars of 1h; the newest bar has just closed.
    - change of the close over 1 bar: +0.62 %
    - change of the close over 4 bars: -1.30 %
    """
    attempted = f"write the prompt of {role!r} about {symbol}"
    if role not in NUMBERS:
        raise PanelError(attempted, found="another role", expected=", ".join(NUMBERS))
    timeframe_ms(timeframe)  # the one argument whose text is in the prompt
    if (bars.symbol, bars.timeframe) != (symbol, timeframe):
        raise PanelError(
            attempted, found=f"bars of {bars.symbol} {bars.timeframe}", expected=f"bars of {symbol} {timeframe}"
        )
    if len(bars) < LEAST_BARS:
        raise PanelError(attempted, found=f"{len(bars)} closed bars", expected=f"at least {LEAST_BARS}")
    values = build(bars.tail(MOST_BARS), _columns(role), newest=1)[0].tolist()
    if not np.isfinite(values).all():
        raise PanelError(attempted, found="indicators without a value", expected="numbers")
    lines = [number.line(value) for number, value in zip(NUMBERS[role], values, strict=True)]
    system = f"{TASKS[role]}\n{REPLY}"
    market = MARKET.format(timeframe=timeframe, numbers="\n".join(lines))
    messages = ({"role": "system", "content": system}, {"role": "user", "content": market})
    digest = sha256("\0".join((version(role), system, market)).encode()).hexdigest()
    return Prompt(messages, digest)


@cache
def version(role: str) -> str:
    """Digest of a role's template and of the columns that fill it."""
    columns = [f"{number.column} {number.unit} {number.words}" for number in NUMBERS[role]]
    return sha256("\0".join((TASKS[role], REPLY, MARKET, _feature_hash(role), *columns)).encode()).hexdigest()


def _columns(role: str) -> str:
    return "+".join(("columns", *(number.column for number in NUMBERS[role])))


def _feature_hash(role: str) -> str:
    """Digest of the formulas behind a role's columns."""
    return feature_set(_columns(role)).hash
