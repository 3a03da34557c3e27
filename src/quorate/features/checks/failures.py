"""A column that fails a check: where, with which values, and what its author can do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from quorate.core.clock import format_ms, iso_ms
from quorate.core.errors import FeatureError
from quorate.features.own import LIVE_BARS, ColumnSource

Check = Literal["computation", "repetition", "truncation", "poisoned future", "live tail", "newest rows", "finiteness"]

# Two values of one column may differ by so much, times max(1, |x|), where they come from other stretches of history.
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class ColumnFailure:
    """The first bar at which a column fails a check.

    Attributes:
        column: its name.
        check: that it fails.
        market: what the candles are like.
        time: open time of the bar, ms; None where the column could not be computed.
        found: its value there.
        expected: the value that it should have; None where any finite number is right.
        detail: the error, where the column could not be computed.
    """

    column: str
    check: Check
    market: str
    time: int | None = None
    found: float | None = None
    expected: float | None = None
    detail: str = ""

    def error(self, module: str) -> FeatureError:
        """The refusal of the column.

        Args:
            module: where it is declared.
        """
        _, expected, remedy = _TEXTS[self.check]
        return FeatureError(
            f"use the column '{self.column}' of {module}",
            found=f"in the check '{self.check}', {self.summary}",
            expected=expected,
            remedy=remedy,
        )

    @property
    def summary(self) -> str:
        """The bar, the values and the candles, in words."""
        what = _TEXTS[self.check][0]
        at = "" if self.time is None else f"at the bar of {format_ms(self.time)}, "
        values = what.format(found=_shown(self.found), expected=_shown(self.expected), detail=self.detail)
        return f"{at}{values} ({self.market})"

    def to_json(self) -> dict[str, Any]:
        """As a document; values that JSON cannot have are None."""
        values = {"found": self.found, "expected": self.expected}
        finite = {key: x if x is not None and np.isfinite(x) else None for key, x in values.items()}
        time = None if self.time is None else iso_ms(self.time)
        return {"check": self.check, "market": self.market, "time": time, **finite, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class ColumnCheck:
    """A column of a user's own and what the checks found.

    Attributes:
        source: of the column.
        failure: of the first check that it fails; None if it passes all of them.
    """

    source: ColumnSource
    failure: ColumnFailure | None

    @property
    def ok(self) -> bool:
        """Whether the column may be used."""
        return self.failure is None

    @property
    def error(self) -> FeatureError | None:
        """The refusal; None if it passes."""
        return None if self.failure is None else self.failure.error(self.source.module)

    def to_json(self) -> dict[str, Any]:
        """The description of the column and its failure, null if it passes."""
        failure = None if self.failure is None else self.failure.to_json() | {"message": str(self.error)}
        return asdict(self.source) | {"ok": self.ok, "failure": failure}


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"


# What was found, what is expected, and the remedy.
_TEXTS: dict[Check, tuple[str, str, str]] = {
    "computation": ("{detail}", "values for any valid candles", "Correct the function."),
    "repetition": (
        "{found} when it is computed again, {expected} at first",
        "the same value from the same bars",
        "Copy an array before changing it, and draw no random numbers.",
    ),
    "truncation": (
        "{found} without the later candles, {expected} with them",
        "the same value: a column reads bars up to its own and none that follow",
        "Remove what reads later bars: a negative shift, a centred window, a mean over all rows.",
    ),
    "poisoned future": (
        "{found} when the later candles are replaced, {expected} before",
        "the same value: a column reads bars up to its own and none that follow",
        "Remove what reads later bars: a negative shift, a centred window, a mean over all rows.",
    ),
    "live tail": (
        f"{{found}} from the newest {LIVE_BARS} candles, {{expected}} from the whole history",
        f"values within {TOLERANCE:g} * max(1, |x|): a live frame has no more candles",
        "Look back over fewer bars, divide prices by the close, and declare the warm-up that the column needs.",
    ),
    "newest rows": (
        "{found} from the bars of its warm-up alone, {expected} from the whole history",
        f"values within {TOLERANCE:g} * max(1, |x|): a live signal computes the newest row from its warm-up",
        "Declare the warm-up that the column needs; for averages that carry a state, call Bars.ema and the like.",
    ),
    "finiteness": (
        "{found}",
        "a finite number for any valid candles, flat prices and zero volume included",
        "Guard divisions and logarithms: `quorate.features.arithmetic.ratio` is 0 over zero.",
    ),
}
