"""Requirements as callables: what a contract suite yields, and what a subject of it raises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.errors import ContractError, QuorateError
from quorate.core.types import FloatArray


class Subject:
    """Something under test.

    Args:
        title: its name in messages and in the ids of tests.
    """

    def __init__(self, title: str) -> None:
        self.title = title

    def require(self, condition: bool, found: str, expected: str) -> None:
        """Raise unless a requirement is met.

        Raises:
            ContractError: it is not.
        """
        if not condition:
            raise ContractError(f"meet the contract as {self.title}", found=found, expected=expected)

    def require_equal(self, found: FloatArray, expected: FloatArray, tolerance: float, where: str) -> None:
        """Raise unless both arrays have one shape and are equal within `tolerance`.

        Raises:
            ContractError: they are not.
        """
        equal = found.shape == expected.shape and bool((np.abs(found - expected) <= tolerance).all())
        off = f"off by {np.abs(found - expected).max():.2g}" if found.shape == expected.shape else f"{found.shape}"
        self.require(equal, f"{off} {where}", f"equal within {tolerance:g}")

    @contextmanager
    def refuses(self, what: str, *words: str, error: type[QuorateError] = QuorateError) -> Iterator[None]:
        """Raise unless the block raises `error` with a message that has these words.

        Raises:
            ContractError: nothing was raised, or the message lacks a word.
        """
        try:
            yield
        except error as raised:
            missing = [word for word in words if word not in str(raised)]
            self.require(not missing, f"{what} refused by '{raised}'", f"a message with {' and '.join(missing)}")
        else:
            self.require(False, f"{what} accepted", f"a {error.__name__}")


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement of one subject; calling it runs it.

    Its text is an id for `pytest.mark.parametrize(..., ids=str)`.
    """

    requirement: Callable[[Any], None]
    subject: Subject

    def __call__(self) -> None:
        """Run the check.

        Raises:
            ContractError: the requirement is not met.
        """
        self.requirement(self.subject)

    def __str__(self) -> str:
        return f"{self.subject.title}-{self.requirement.__name__}"
