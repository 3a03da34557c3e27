"""A decision of a book as quantities of Freqtrade's positions, and the file through which it survives a restart."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quorate.core.files import write_text_atomic
from quorate.core.regular_files import read_regular
from quorate.core.untrusted_json import MISSHAPEN, parse_json

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BookDecision:
    """Positions to hold from a moment on.

    Attributes:
        moment: ms, the close at which it was decided.
        book: id of the book.
        equity: of the account then.
        quantities: pair -> signed quantity in base units, 0 to close; others stay as they are.
    """

    moment: int
    book: str
    equity: float
    quantities: Mapping[str, float] = field(default_factory=dict)

    def text(self) -> str:
        """As in the file."""
        tree: dict[str, Any] = {
            "moment": self.moment,
            "book": self.book,
            "equity": self.equity,
            "quantities": dict(self.quantities),
        }
        return json.dumps(tree, indent=1) + "\n"


class DecisionFile:
    """The newest decision of a dry or live bot.

    Quantities are stored before anything is ordered: a bot that is started again at the same moment goes on towards
    them and does not decide twice.

    Args:
        path: of the file; its folder is created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> BookDecision | None:
        """The stored decision; None without one, or with one that cannot be read, which is logged."""
        try:
            tree = parse_json(read_regular(self._path))
            return BookDecision(
                int(tree["moment"]),
                str(tree["book"]),
                float(tree["equity"]),
                {str(pair): float(quantity) for pair, quantity in tree["quantities"].items()},
            )
        except FileNotFoundError:
            return None
        except (OSError, *MISSHAPEN) as error:
            _log.warning("the last decision in %s cannot be read, so that the book decides anew: %r", self._path, error)
            return None

    def write(self, decision: BookDecision) -> None:
        """Store a decision.

        Raises:
            DataError: the file cannot be written.
        """
        write_text_atomic(self._path, decision.text())
