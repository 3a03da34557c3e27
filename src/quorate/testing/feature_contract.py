"""Requirements of every column: no look-ahead, an honest warm-up, finite values."""

from __future__ import annotations

from quorate.features.checks import check_own
from quorate.features.own import FeatureFunction, as_own_column
from quorate.testing.contract_check import Check, Subject


class ColumnUnderTest(Subject):
    """A column of your own.

    Args:
        function: a function declared by `@quorate.feature`.
    """

    def __init__(self, function: FeatureFunction) -> None:
        super().__init__(function.name)
        self.function = function


def feature_checks(*functions: FeatureFunction) -> list[Check]:
    """The checks that `quorate check features` runs, one check a column.

    Args:
        functions: declared by `@quorate.feature`.
    """
    return [Check(passes_every_column_check, ColumnUnderTest(function)) for function in functions]


def passes_every_column_check(s: ColumnUnderTest) -> None:
    """Truncation, poisoned future, live tail, newest rows, repetition and finiteness on seeded synthetic candles."""
    failure = check_own(as_own_column(s.function)).failure
    s.require(failure is None, "" if failure is None else f"{failure.check}: {failure.summary}", "no failed check")
