"""The base of all records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

Phase = Literal["open", "close"]
GuardMode = Literal["ACTIVE", "REDUCING", "HALTED"]


@dataclass(frozen=True, slots=True)
class Record(ABC):
    """Base of all records.

    Attributes:
        time: open time in ms of the bar of the event; of `StartedRecord` and `HumanRecord`, of the newest bar; of
            `NotifiedRecord`, the wall clock.
    """

    kind: ClassVar[str]

    time: int

    @property
    @abstractmethod
    def key(self) -> str:
        """Unique key in the account."""
